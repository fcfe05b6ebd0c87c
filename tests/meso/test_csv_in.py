"""Reading a spreadsheet's CSV: what spreadsheets really save, and each fault named by line, column and reason."""

from datetime import date
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from meso.csv_in import MAX_CELL, BadCell, BadFile, Problem, a_date, read_all

COLUMNS = ("chart_number", "name", "note")


def read(tmp_path: Path, data: str | bytes, columns=COLUMNS, required=("chart_number",), make=lambda line, cells: (line, cells)):
    path = tmp_path / "sheet.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_all(path, columns, required, make)


def faults(tmp_path: Path, data: str | bytes, **kwargs) -> list[str]:
    with pytest.raises(BadFile) as refused:
        read(tmp_path, data, **kwargs)
    return [str(problem) for problem in refused.value.problems]


def test_each_row_comes_with_its_line_and_its_cells_by_column(tmp_path):
    assert read(tmp_path, "chart_number,name,note\n1,Ada,x\n2,Bo,\n") == [
        (2, {"chart_number": "1", "name": "Ada", "note": "x"}),
        (3, {"chart_number": "2", "name": "Bo", "note": ""}),
    ]


def test_columns_may_stand_in_another_order_and_those_not_needed_may_be_missing(tmp_path):
    assert read(tmp_path, "name,chart_number\nAda,1\n") == [(2, {"chart_number": "1", "name": "Ada", "note": ""})]


def test_a_byte_order_mark_is_accepted(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbfchart_number,name\n1,Ada\n")[0][1]["chart_number"] == "1"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_accepted_and_counted(tmp_path, end):
    rows = read(tmp_path, end.join(["chart_number,name", "1,Ada", "2,Bo", ""]))
    assert [(line, cells["chart_number"]) for line, cells in rows] == [(2, "1"), (3, "2")]


def test_a_quoted_cell_keeps_its_line_ends_commas_and_quotation_marks(tmp_path):
    rows = read(tmp_path, 'chart_number,name,note\r\n1,"Vance, ""Ada""","one\r\ntwo\n\nthree"\r\n')
    assert rows[0][1] == {"chart_number": "1", "name": 'Vance, "Ada"', "note": "one\r\ntwo\n\nthree"}


def test_a_row_is_named_by_the_line_on_which_it_begins(tmp_path):
    rows = read(tmp_path, 'chart_number,note\n1,"a\nb\nc"\n\n2,"d\ne"\n3,f\n')
    assert [(line, cells["chart_number"]) for line, cells in rows] == [(2, "1"), (6, "2"), (8, "3")]


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_only_a_line_end_ends_a_row(tmp_path, mark):
    rows = read(tmp_path, f'chart_number,name,note\n1,a{mark}b,"c{mark}d"\n2,e,f\n')
    assert rows == [
        (2, {"chart_number": "1", "name": f"a{mark}b", "note": f"c{mark}d"}),
        (3, {"chart_number": "2", "name": "e", "note": "f"}),
    ]


def test_blank_rows_are_skipped_wherever_they_stand(tmp_path):
    rows = read(tmp_path, "\n , ,\nchart_number,name\n\n,,\n  \n1,Ada\n\n")
    assert [line for line, cells in rows] == [7]


def test_outer_blanks_of_cells_and_header_names_are_not_data(tmp_path):
    assert read(tmp_path, " chart_number , name\n 1 ,\tAda \n")[0][1] == {"chart_number": "1", "name": "Ada", "note": ""}


def test_cells_left_off_at_the_end_are_empty(tmp_path):
    assert read(tmp_path, "chart_number,name,note\n1\n") == [(2, {"chart_number": "1", "name": "", "note": ""})]


def test_empty_cells_and_names_too_many_at_the_end_are_no_fault(tmp_path):
    assert read(tmp_path, "chart_number,name,,\n1,Ada,,,\n") == [(2, {"chart_number": "1", "name": "Ada", "note": ""})]


def test_cells_too_many_are_named_by_line_and_the_rest_is_still_looked_at(tmp_path):
    assert faults(tmp_path, "chart_number,name\n1,Vance, Ada\n2,Bo\n3,Cy,Dee\n") == [
        "line 2: 3 cells where the header has 2; a cell with a comma needs quotation marks",
        "line 4: 3 cells where the header has 2; a cell with a comma needs quotation marks",
    ]


def test_every_bad_row_is_named_and_nothing_comes_back(tmp_path):
    def make(line, cells):
        if cells["name"] == "field":
            raise BadCell("name", "is bad")
        if cells["name"] == "dict":
            raise ValidationError({"note": ["too long", "too loud"], "__all__": ["at odds"]})
        if cells["name"] == "plain":
            raise ValidationError("no column of its own")
        return cells

    assert faults(tmp_path, "chart_number,name\n1,field\n2,good\n3,dict\n4,plain\n", make=make) == [
        "line 2, name: is bad",
        "line 4, note: too long too loud",
        "line 4: at odds",
        "line 5: no column of its own",
    ]


def test_bad_rows_before_a_broken_one_are_named_with_it(tmp_path):
    def make(line, cells):
        raise BadCell("name", "is bad")

    assert faults(tmp_path, 'chart_number,name\n1,Ada\n2,"Bo\n', make=make) == [
        "line 2, name: is bad",
        "line 3: a quotation mark of this row is opened and never closed",
    ]


def test_a_quotation_mark_astray_is_named_by_the_line_on_which_its_row_begins(tmp_path):
    assert faults(tmp_path, 'chart_number,name\n1,"a\nb"c\n') == [
        "line 2: the quotation marks of this row are broken: one inside a quoted cell is written twice"
    ]


@pytest.mark.parametrize("data", ["", "\n\n", "\ufeff", ",,,\n"])
def test_a_file_without_a_header_is_told_what_it_should_read(tmp_path, data):
    assert faults(tmp_path, data) == ["line 1: the file has no header row; it should read: chart_number,name,note"]


def test_a_file_with_a_header_only_holds_no_rows(tmp_path):
    assert read(tmp_path, "chart_number,name") == []


def test_unknown_missing_and_doubled_columns_are_each_named(tmp_path):
    assert faults(tmp_path, "nane,name,name,,note\n1,2,3,4,5\n") == [
        "line 1: unknown columns: nane, (no name)",
        "line 1: missing columns: chart_number",
        "line 1: columns named twice: name",
    ]


@pytest.mark.parametrize(("mark", "called"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(tmp_path, mark, called):
    data = f"chart_number{mark}name{mark}note\n1{mark}Ada{mark}x\n"
    assert faults(tmp_path, data) == [f"line 1: the columns stand between {called}; save the file with commas"]


def test_latin_1_is_named_by_its_line(tmp_path):
    data = "chart_number,name\n1,Ada\n2,Peña\n".encode("latin-1")
    assert faults(tmp_path, data) == ["line 3: this is not UTF-8 text; save the spreadsheet as CSV UTF-8"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_in_words(tmp_path, encoding):
    (fault,) = faults(tmp_path, "chart_number,name\n1,Ada\n".encode(encoding))
    assert "UTF-16" in fault or "NUL" in fault


def test_a_nul_is_named_by_its_line(tmp_path):
    assert faults(tmp_path, "chart_number,name\n1,A\0da\n") == ["line 2: there is a NUL character here: this is not a text file"]


def test_a_long_letter_fits_in_a_cell_and_a_lost_quotation_mark_is_suspected_behind_more(tmp_path):
    assert len(read(tmp_path, f"chart_number,note\n1,{'x' * 500_000}\n")[0][1]["note"]) == 500_000
    (fault,) = faults(tmp_path, f'chart_number,note\n1,ok\n2,"{"x" * (MAX_CELL + 1)}\n')
    assert fault == "line 3: a cell of this row is longer than 1,000,000 characters; is a quotation mark not closed?"


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path):
    with pytest.raises(BadFile, match="the file can't be read: No such file"):
        read_all(tmp_path / "none.csv", COLUMNS, (), lambda line, cells: cells)


def test_a_folder_is_refused_in_words(tmp_path):
    with pytest.raises(BadFile, match="the file can't be read: Is a directory"):
        read_all(tmp_path, COLUMNS, (), lambda line, cells: cells)


def test_a_day_is_read():
    assert a_date("day", "2028-02-29") == date(2028, 2, 29)
    assert a_date("day", "", needed=False) is None
    assert a_date("day", "2026-11-24", latest=date(2026, 11, 24)) == date(2026, 11, 24)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "11/24/2026",
        "2026-11",
        "20261124",
        "2026-W48-2",
        "2026-02-29",
        "0000-00-00",
        "2026-11-24T00:00",
        "\uff12\uff10\uff12\uff16-11-24",
        "today",
    ],
)
def test_what_is_no_iso_day_is_refused(text):
    with pytest.raises(BadCell, match="2026-11-24"):
        a_date("day", text)


def test_a_day_after_the_latest_is_refused():
    with pytest.raises(BadCell, match="2026-11-25 is in the future"):
        a_date("day", "2026-11-25", latest=date(2026, 11, 24))


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(3, "name", "is bad"), "line 3, name: is bad"),
        (Problem(0, "", "can't be read"), "can't be read"),
        (Problem(4, "Patient.birthDate", "is bad", file="a.json", unit="entry"), "a.json, entry 4, Patient.birthDate: is bad"),
        (Problem(0, "", "is empty", file="a.json"), "a.json: is empty"),
    ],
)
def test_a_problem_says_where_and_why(problem, text):
    assert str(problem) == text


@given(data=st.binary(max_size=200))
def test_no_file_at_all_breaks_the_reader(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(b"chart_number,name\n" + data)
    try:
        rows = read_all(path, COLUMNS, ("chart_number",), lambda line, cells: (line, cells))
    except BadFile:
        return
    assert all(line >= 2 and set(cells) == set(COLUMNS) for line, cells in rows)
