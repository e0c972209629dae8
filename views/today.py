"""[Việc hôm nay]: what waits today, and the queue that hands out one customer at a time (B.2)."""

from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose

from models import Customer, Interaction
from models.interaction import CARE
from rules.errors import N_
from services import care_reading, lists, queue
from views.base import ScreenView
from views.care import form_context
from views.context import current_actor, local_day_start, now, today
from views.list_screen import object_id


class Today(ScreenView):
    """The first page after the login."""

    endpoint_name, url_path, icon = "today", "/", "sun"
    label = N_("Today's work")

    @expose("/")
    def index_view(self) -> Any:
        day, actor = today(), current_actor()
        due = queue.due_criteria(day, actor)
        overdue = queue.overdue_criteria(day, actor)
        mine = {"kind": CARE, "staff_id": actor.staff_id, "at": {"$gte": local_day_start(day)}}
        waiting = lists.capped_counts(Customer.collection(), {"due": due, "overdue": overdue})
        done = lists.capped_count(Interaction.collection(), mine)
        latest = Interaction.collection().find(mine).sort("at", -1).limit(8)
        return self.render(
            "today/index.html",
            waiting=waiting,
            done=done,
            latest=list(latest),
            day=day,
            stands_in_for=actor.stands_in_for,
        )

    @expose("/queue")
    def queue_view(self) -> Any:
        """The next customer with history left and form right; `skip` leaves one for later."""
        actor = current_actor()
        skip = request.args.get("skip")
        customer = queue.next_customer(
            by=actor,
            now=now(),
            today=today(),
            skip=object_id(skip) if skip else None,
        )
        if skip:
            # A reload must not skip once more.
            return redirect(url_for(".queue_view"))
        left = lists.capped_count(Customer.collection(), queue.due_criteria(today(), actor))
        if customer is None:
            return self.render("today/done.html", left=left)
        order_id = (customer.get("care") or {}).get("order_id")
        form = (
            care_reading.form_for_order(order_id, by=actor)
            if order_id
            else care_reading.form_for_customer(customer["_id"], by=actor)
        )
        return self.render("today/queue.html", left=left, **form_context(form, in_queue=True))
