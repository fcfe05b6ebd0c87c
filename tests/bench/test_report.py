"""The tables say what was measured, misses included."""

import pytest

from bench import report


def page(name: str, own: float, floor: float, bar: float | None = 2) -> dict:
    return {
        "name": name,
        "bar": bar,
        "queries": 7,
        "writes": False,
        "reads_whole": [],
        "seconds": {"page": [own] * 20, "floor": [floor] * 20},
        "rates": {"page": [100.0], "floor": [200.0]},
    }


def office(patients: int, *pages: dict) -> dict:
    return {
        "database": "SQLite 3",
        "patients": patients,
        "rows": 9,
        "floors": {"read": 3, "write": 3},
        "pages": list(pages),
        "asked": [{"name": "log: one chart", "queries": 6, "inside_ms": 4.25, "reads_whole": ["records_entry"]}],
        "search_ms": {"smith": 1.0},
        "insert_ms": {"plain": 0.5, "sealed": 1.0},
    }


def row_of(text: str, name: str) -> list[str]:
    return [cell.strip() for cell in next(line for line in text.splitlines() if line.startswith(f"| {name} ")).split("|")[1:-1]]


def test_a_page_is_told_in_multiples_of_its_floor():
    row = row_of(report.office_table(office(1000, page("chart", 0.006, 0.004))), "chart")
    assert row == ["chart", "7", "6.00", "6.00", "100", "1.50", "≤ 2", "met"]


def test_a_miss_is_said():
    assert row_of(report.office_table(office(1000, page("chart", 0.009, 0.004))), "chart")[-1] == "**missed**"


def test_a_page_that_is_not_there_or_fails_is_said():
    missing, failed = {"name": "log", "missing": True}, {"name": "tracker", "failed": "/requests/ answered 500, not 200"}
    text = report.office_table(office(1000, missing, failed))
    assert row_of(text, "log")[-1] == "not there"
    assert row_of(text, "tracker")[-1] == "failed: /requests/ answered 500, not 200"


def test_growth_compares_multiples_so_that_a_slow_hour_is_no_growth():
    text = report.growth_table([office(1000, page("chart", 0.004, 0.002)), office(100_000, page("chart", 0.008, 0.004))])
    assert row_of(text, "chart, SQLite 3")[-2:] == ["1.00", "met"]
    text = report.growth_table([office(1000, page("chart", 0.004, 0.002)), office(100_000, page("chart", 0.008, 0.002))])
    assert row_of(text, "chart, SQLite 3")[-2:] == ["2.00", "**missed**"]


def test_a_table_read_whole_is_said_and_the_narrowed_lists_are_told():
    offices = [office(1000, page("chart", 0.006, 0.004))]
    assert "- log: one chart, SQLite 3, 1,000 patients: `records_entry`" in report.whole_reads(offices)
    assert row_of(report.asked_table(offices), "log: one chart") == ["log: one chart", "6", "4.2"]
    assert report.full(offices, ["Not measured: X"]).count("###") == 5


def test_p95_is_the_value_that_95_in_100_do_not_pass():
    assert report.p95([float(value) for value in range(1, 101)]) == 96.0
    assert report.p95([3.0]) == 3.0


def test_the_figures_stand_between_their_marks(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_into(document, "new")
    report.write_into(document, "newer")
    assert document.read_text() == f"before\n{report.BEGIN}\n\nnewer\n\n{report.END}\nafter\n"


def test_a_document_without_marks_is_left_alone(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text("no marks")
    with pytest.raises(ValueError, match="no place for the figures"):
        report.write_into(document, "new")
    assert document.read_text() == "no marks"
