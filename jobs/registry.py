"""The jobs there are, by the name that stands in `JobRun.name`.

A job is called with its Progress and the run's arguments as keywords. It may be killed anywhere
and run again: the result has to be the same.
"""

from collections.abc import Callable

from jobs import (
    audit,
    fields,
    housekeeping,
    lists,
    mail,
    recompute,
    records,
    relationships,
    scope,
)

JOBS: dict[str, Callable[..., None]] = {
    "recompute_care": recompute.recompute_care,
    "recompute_relationships": relationships.recompute_relationships,
    "purge_job_runs": housekeeping.purge_job_runs,
    "purge_trash": housekeeping.purge_trash,
    "remove_orphans": housekeeping.remove_orphans,
    "purge_audit": audit.purge_audit,
    "export_list": lists.export_list,
    "bulk_edit": lists.bulk_edit,
    "import_records": records.import_records,
    "undo_bulk_edit": lists.undo_bulk_edit,
    "send_mail": mail.send_mail,
    "morning_mail": mail.morning_mail,
    "send_reset_link": mail.send_reset_link,
    "recompute_scope": scope.recompute_scope,
    "end_viewers": scope.end_viewers,
    "index_fields": fields.index_fields,
    "convert_field": fields.convert_field,
    "merge_values": fields.merge_values,
    "unmerge_values": fields.unmerge_values,
    "assign_customers": scope.assign_customers,
    "hand_over": scope.hand_over,
    "undo_hand_over": scope.undo_hand_over,
}
