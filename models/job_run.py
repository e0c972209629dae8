"""Background work as people see it. RQ only carries it; this document is the truth."""

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.base import CarebookDocument

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
JOB_STATES = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)
ACTIVE_STATES = (QUEUED, RUNNING)

# A person waits for NOW; LATER is nightly work, which makes room.
NOW, LATER = "now", "later"


class SetAside(EmbeddedDocument):
    """A record that could not be worked on, and why; the run went on without it.

    With `reason_params` the reason is an English gettext id, else what a programmer reads.
    """

    kind = StringField(required=True)
    record_id = ObjectIdField(required=True)
    reason = StringField()
    reason_params = DictField()


class RunShare(EmbeddedDocument):
    """A part of a walk over records: the ids behind `after` up to `upto`, done up to `position`.

    One worker at a time holds it, until `lease_until`.
    """

    step = StringField(required=True)
    number = IntField(required=True)
    after = ObjectIdField()
    upto = ObjectIdField()
    position = ObjectIdField()
    worker = StringField()
    lease_until = DateTimeField()
    is_done = BooleanField(default=False)


class JobRun(CarebookDocument):
    """One run of `name` (a key of `jobs.registry`) with `arguments`.

    `slot` is unique: a periodic job's slot, or None. A run is claimed by setting `state` to
    running with a `lease_until`; a lapsed lease means that the worker died and the run may be
    taken again. `progress` counts records done out of `total` (None: unknown); `shares` are the parts
    of its walks, which several workers may take and from which another attempt goes on.

    `alone` is unique while the run waits or works: the schedule that must not run twice at once.
    `error` is an English gettext id, `error_params` its parameters.
    """

    name = StringField(required=True)
    arguments = DictField()
    slot = StringField()
    state = StringField(choices=JOB_STATES, default=QUEUED, required=True)
    progress = IntField(default=0)
    progress_before = IntField(default=0)  # by attempts before this one
    total = IntField()
    counts = DictField()
    log = ListField(StringField())
    error = StringField()
    error_params = DictField()
    shares = EmbeddedDocumentListField(RunShare)
    position = DictField()  # written by earlier versions, which did not split their walks
    set_aside = EmbeddedDocumentListField(SetAside)
    set_aside_count = IntField(default=0)
    schedule = StringField()
    alone = StringField()
    priority = StringField(choices=(NOW, LATER), default=NOW)
    attempts = IntField(default=0)
    failed_deliveries = IntField(default=0)  # in a row: a worker took it and could not begin
    started_by = ObjectIdField()
    started_by_name = StringField()
    started_at = DateTimeField()
    ended_at = DateTimeField()
    lease_until = DateTimeField()
    worker = StringField()
    cancel_requested_at = DateTimeField()

    meta = {
        "collection": "job_runs",
        "indexes": [
            # What waits, what died: the scheduler's sweep.
            {"name": "runs_by_state", "fields": ["state", "lease_until"]},
            {"name": "runs_by_creation", "fields": ["-created_at", "-id"]},
            # A person's own runs, newest first; and those under way, for the top of every page.
            {"name": "runs_of_staff", "fields": ["started_by", "-created_at", "-id"]},
            {"name": "active_runs_of_staff", "fields": ["started_by", "state"]},
            # What ran last for a schedule, and what is too old.
            {"name": "runs_of_schedule", "fields": ["schedule", "-created_at"]},
            {"name": "runs_by_end", "fields": ["ended_at"]},
            {
                "name": "one_run_alone",
                "fields": ["alone"],
                "unique": True,
                "partialFilterExpression": {"alone": {"$type": "string"}},
            },
            {
                "name": "one_run_per_slot",
                "fields": ["slot"],
                "unique": True,
                "partialFilterExpression": {"slot": {"$type": "string"}},
            },
        ],
    }
