"""What an import did, in words."""

from collections.abc import Iterator

from services.imports.report import ImportReport


def sentences(report: ImportReport) -> Iterator[str]:
    """The lines to print after an import, the most important one first."""
    if report.changes_nothing:
        yield _nothing(report)
    elif report.dry_run:
        yield f"Dry run: {_counts(report)}. Nothing was written."
    else:
        yield f"Imported {report.kind}: {_counts(report)}."
    yield f"{_number(report.rows)} rows read, {_number(report.bad)} of them bad."
    made = [f"{_number(count)} {kind}" for kind, count in report.created.items() if count]
    if made:
        yield f"{'Would be created' if report.dry_run else 'Created'}: {', '.join(made)}."
    if report.without_customer or report.returns:
        yield (
            f"{_number(report.without_customer)} orders without a customer and "
            f"{_number(report.returns)} returns are never due."
        )
    if report.recomputed_orders:
        yield f"{_number(report.recomputed_orders)} orders followed changed products."
    for warning, count in report.warnings.items():
        if count:
            yield f"Warning ({_number(count)}x): {warning}"
    if report.error_file is not None:
        yield f"Bad rows and why: {report.error_file}"


def _nothing(report: ImportReport) -> str:
    known = f"all {_number(report.unchanged)} {report.kind} of these files are here already"
    if not report.unchanged:
        known = "the files contain no usable rows"
    return f"Nothing {'would change' if report.dry_run else 'changed'}: {known}."


def _counts(report: ImportReport) -> str:
    return (
        f"{_number(report.new)} new, {_number(report.changed)} changed, "
        f"{_number(report.unchanged)} unchanged"
    )


def _number(count: int) -> str:
    return f"{count:,}"
