"""What an import did, in words."""

from collections.abc import Iterator

from rules.errors import N_
from rules.sentences import Sentence
from services.catalogues import Words
from services.imports.report import ImportReport

KINDS = {
    "orders": N_("orders"),
    "products": N_("products"),
    "customers": N_("customers"),
    "areas": N_("areas"),
    "groups": N_("product groups"),
}


def sentences(report: ImportReport, words: Words) -> Iterator[str]:
    """The lines to print after an import, the most important one first."""
    yield words.say(_outcome(report), **_counts(report))
    yield words.say(
        N_("%(rows)s rows read, %(bad)s of them bad."), rows=report.rows, bad=report.bad
    )
    made = [
        f"{words.number(count)} {words.say(KINDS[kind])}"
        for kind, count in report.created.items()
        if count
    ]
    if made:
        would = N_("Would be created: %(what)s.")
        yield words.say(would if report.dry_run else N_("Created: %(what)s."), what=", ".join(made))
    if report.without_customer or report.returns:
        yield words.say(
            N_("%(orders)s orders without a customer and %(returns)s returns are never due."),
            orders=report.without_customer,
            returns=report.returns,
        )
    if report.recomputed_orders:
        yield words.say(
            N_("%(count)s orders followed changed products."), count=report.recomputed_orders
        )
    for warning, count in report.warnings.items():
        if count:
            yield words.say(
                N_("Warning (%(count)s times): %(what)s"), count=count, what=words.say(warning)
            )
    if report.error_file is not None:
        yield words.say(N_("Bad rows and why: %(file)s"), file=str(report.error_file))


def _outcome(report: ImportReport) -> str:
    if report.changes_nothing and not report.unchanged:
        return N_("Nothing changed: the files contain no usable rows.")
    if report.changes_nothing and report.dry_run:
        return N_("Nothing would change: all %(unchanged)s %(kind)s are here already.")
    if report.changes_nothing:
        return N_("Nothing changed: all %(unchanged)s %(kind)s of these files are here already.")
    if report.dry_run:
        return N_(
            "Dry run: %(new)s new, %(changed)s changed, %(unchanged)s unchanged. "
            "Nothing was written."
        )
    return N_("Imported %(kind)s: %(new)s new, %(changed)s changed, %(unchanged)s unchanged.")


def _counts(report: ImportReport) -> dict[str, int | Sentence]:
    return {
        "kind": Sentence(KINDS[report.kind]),
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
    }
