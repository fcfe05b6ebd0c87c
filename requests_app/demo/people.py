"""The invented staff and patients."""

# user name, first name, last name, role, credentials
STAFF = (
    ("frontdesk", "Sam", "Reed", "front_desk", ""),
    ("doctor", "Ada", "Vance", "physician", "MD"),
    ("privacy", "Nora", "Lindqvist", "privacy_officer", ""),
    ("admin", "Theo", "Marsh", "office_admin", ""),
)
PASSWORD = "needle-free-demo-2026"  # noqa: S105  (of an invented office that listens on this machine only)

# first name, last name, preferred name, sex, year, month, day of birth
PATIENTS = (
    ("Maria", "Alvarez", "", "female", 1984, 7, 2), ("Dwayne", "Carter", "", "male", 1976, 3, 19),
    ("Ngoc", "Tran", "", "female", 1991, 11, 5), ("Ruth", "O'Brien", "Ruthie", "female", 1958, 2, 28),
    ("Luis", "Ortega", "", "male", 1988, 9, 30), ("María-José", "Carreño Quiñones", "Majo", "female", 1979, 1, 14),
    ("Björk", "Guðmundsdóttir", "", "female", 1965, 11, 21), ("Isa", "", "", "other", 1999, 6, 8),
    ("泽东", "毛", "", "male", 1970, 12, 26), ("Siobhán", "Ní Dhomhnaill", "", "female", 1982, 5, 17),
    ("Jean-Luc", "de la Cruz", "JL", "male", 1969, 8, 3), ("Aaliyah", "Washington", "", "female", 1995, 4, 22),
    ("Maria", "Alvarez-Soto", "", "female", 1984, 2, 7), ("Priya", "Raghunathan", "", "female", 1990, 10, 11),
    ("Tomasz", "Łukasiewicz", "", "male", 1973, 6, 27), ("Hannah", "Goldberg", "", "female", 1987, 12, 1),
    ("Kwame", "Mensah", "", "male", 1981, 3, 6), ("Yuki", "Tanaka", "", "female", 1994, 9, 15),
    ("Olga", "Ivanova", "", "female", 1962, 7, 23), ("Patrick", "Sullivan", "Pat", "male", 1955, 1, 9),
    ("Grace", "Kim", "", "female", 1997, 2, 18), ("Fatima", "El-Sayed", "", "female", 1985, 8, 12),
    ("Robert", "Johnson", "Bob", "male", 1948, 5, 30), ("Linda", "Johnson", "", "female", 1950, 11, 2),
    ("Chloe", "Dubois", "", "female", 2001, 3, 25), ("Marcus", "Bell", "", "male", 1978, 10, 4),
    ("Ana", "Pereira", "", "female", 1992, 1, 31), ("Wei", "Zhang", "", "male", 1986, 4, 9),
    ("Elena", "Popescu", "", "female", 1971, 9, 19), ("Samuel", "Adeyemi", "", "male", 1989, 6, 14),
    ("Dorothy", "Hughes", "Dot", "female", 1943, 12, 12), ("Nina", "Kowalski", "", "female", 1996, 7, 7),
    ("Victor", "Hernández", "", "male", 1967, 2, 3), ("Leila", "Haddad", "", "female", 1983, 11, 28),
    ("Bruce", "MacLeod", "", "male", 1960, 10, 20), ("Tiana", "Brooks", "", "female", 2000, 5, 5),
    ("Sofia", "Rossi", "", "female", 1993, 8, 24), ("Derek", "Nguyen", "", "male", 1975, 1, 17),
    ("Helga", "Schröder", "", "female", 1959, 3, 13), ("Amara", "Okafor", "", "female", 1998, 9, 1),
    ("Jamal", "Reid", "", "male", 1980, 12, 22), ("Carmen", "Delgado", "", "female", 1968, 4, 28),
    ("Erik", "Åkesson", "", "male", 1974, 7, 11), ("Mei", "Chen", "", "female", 1988, 2, 10),
    ("Paula", "Fitzgerald", "", "female", 1963, 6, 6), ("Anton", "Dvořák", "", "male", 1957, 9, 8),
    ("Simone", "Lefèvre", "", "female", 1990, 5, 21), ("Khalid", "Rahman", "", "male", 1984, 10, 29),
    ("Beatriz", "Santos", "Bia", "female", 1995, 11, 16), ("Gordon", "Pike", "", "male", 1952, 8, 19),
    ("Ingrid", "Sørensen", "", "female", 1977, 3, 3), ("Maya", "Patel", "", "female", 2002, 1, 26),
    ("Oscar", "Jiménez", "", "male", 1966, 12, 15), ("Ruth", "Stein", "", "female", 1946, 4, 4),
    ("Zoë", "van der Berg", "", "female", 1991, 7, 30), ("Hiro", "Nakamura", "", "male", 1979, 5, 12),
    ("Latoya", "Simmons", "", "female", 1986, 9, 23), ("Peter", "Novak", "", "male", 1972, 10, 10),
    ("Camille", "Baptiste", "", "female", 1994, 6, 19), ("Ayşe", "Yılmaz", "", "female", 1981, 2, 25),
    ("Daniel", "Roth", "Danny", "male", 1999, 12, 30), ("Joan", "McAllister", "", "female", 1954, 1, 21),
    ("Roberto", "Bianchi", "", "male", 1970, 8, 8), ("Nadia", "Hussein", "", "female", 1987, 4, 13),
)

STREETS = ("Elm Street", "Madison Avenue", "Lark Street", "Western Avenue", "Quail Street", "Delaware Avenue", "Hudson Place")
TOWNS = (("Albany", "12207"), ("Troy", "12180"), ("Schenectady", "12305"), ("Saratoga Springs", "12866"), ("Cohoes", "12047"))
