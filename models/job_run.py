"""Background work as people see it. RQ only carries it; this document is the truth."""

from mongoengine import DateTimeField, DictField, IntField, ListField, ObjectIdField, StringField

from models.base import CarebookDocument

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
JOB_STATES = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)


class JobRun(CarebookDocument):
    """One run of `name` (a key of `jobs.registry`) with `arguments`.

    `slot` is unique: a periodic job's slot, or None. A run is claimed by setting `state` to
    running with a `lease_until`; a lapsed lease means that the worker died and the run may be
    taken again. `progress` counts records done out of `total` (None: unknown).
    """

    name = StringField(required=True)
    arguments = DictField()
    slot = StringField()
    state = StringField(choices=JOB_STATES, default=QUEUED, required=True)
    progress = IntField(default=0)
    total = IntField()
    counts = DictField()
    log = ListField(StringField())
    error = StringField()
    attempts = IntField(default=0)
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
            {
                "name": "one_run_per_slot",
                "fields": ["slot"],
                "unique": True,
                "partialFilterExpression": {"slot": {"$type": "string"}},
            },
        ],
    }
