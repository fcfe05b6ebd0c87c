"""Names as a town's phone book has them: a few very common, a long tail, some of two words, some with accents."""

import random

# The commonest first; the n-th is drawn about 1/(n+4) as often as the first.
LAST = (  # noqa: SIM905  (read as a page of the phone book)
    "Smith Johnson Williams Brown Garcia Jones Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas "
    "Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King "
    "Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips "
    "Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper "
    "Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez Wood Bennett Gray Mendoza Ruiz Hughes "
    "Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez Powell O'Brien Peña Núñez Müller Tran Singh Cohen "
    "Schwartz Kowalski Ivanov Haddad Okafor Şahin Dvořák Łukaszewski Søndergaard"
).split()
FIRST = (  # noqa: SIM905
    "Mary Maria Jennifer Linda Patricia Elizabeth Jessica Sarah Karen Ashley Susan Emily Nancy Lisa Margaret Sandra Donna Emma "
    "Olivia Sophia Isabella Carmen Rosa Ana Guadalupe Amanda Melissa Deborah Stephanie Rebecca Laura Cynthia Amy Kathleen Angela "
    "James Michael Robert John David William Jose Richard Carlos Joseph Thomas Juan Luis Daniel Matthew Anthony Mark Steven "
    "Andrew Joshua Kevin Brian George Miguel Timothy Ronald Edward Jason Jeffrey Ryan Jacob Priya Mei Wei Fatima Aisha Olga Yuki "
    "Zoë Chloé Siobhán Björn José Ayşe Nadia Leila Kwame Tomasz Hiro Ingrid"
).split()
_HEADS = (  # noqa: SIM905
    "Hart Black Fair Hol Win Ash Brad Carl Dun Ever Fen Gals Hem Ire Kirk Lang Mar Nor Oak Pem Quin Ran Stan Thorn Up Van Wake "
    "Yar Bar Cald Den El Far Grim Hay Ing"
).split()
_TAILS = "wood well field ford ley ton ham by worth man stein berg son court land shaw more wick dale brook mont rell ski".split()  # noqa: SIM905


def _falling(count: int) -> list[float]:
    """Running weights 1/(n+4): what `random.choices` takes as cum_weights."""
    total, running = 0.0, []
    for place in range(count):
        total += 1 / (place + 5)
        running.append(total)
    return running


_LAST_WEIGHTS, _FIRST_WEIGHTS = _falling(len(LAST)), _falling(len(FIRST))


def common_last(dice: random.Random) -> str:
    """One of the common last names, skewed."""
    return dice.choices(LAST, cum_weights=_LAST_WEIGHTS)[0]


def last(dice: random.Random) -> str:
    """A last name: six in ten common, three in ten from the tail, one in ten of two words or with a hyphen."""
    lot = dice.random()
    if lot < 0.6:
        return common_last(dice)
    if lot < 0.9:
        return dice.choice(_HEADS) + dice.choice(_TAILS)
    return common_last(dice) + dice.choice(" -") + common_last(dice)


def first(dice: random.Random) -> str:
    """A first name, skewed; one in twelve has a second."""
    name = dice.choices(FIRST, cum_weights=_FIRST_WEIGHTS)[0]
    return f"{name} {dice.choice(FIRST)}" if dice.random() < 1 / 12 else name
