"""What a column of an imported file can be mapped to, and a column that is."""

from dataclasses import dataclass

PRODUCTS, ORDERS = "products", "orders"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a cell goes. `max_length` limits texts, in characters; None: not a text."""

    name: str
    max_length: int | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One mapped column: its header in the file, its target, and how its cells are cleaned."""

    header: str
    target: Target
    clean: str | None = None
    separator: str = "/"


def _named(*targets: Target) -> dict[str, Target]:
    return {target.name: target for target in targets}


# Lengths are those of the documents in `models/`; a test compares them.
TARGETS: dict[str, dict[str, Target]] = {
    PRODUCTS: _named(
        Target("product.code", 80, required=True),
        Target("product.name", 400),
        Target("product.group_path", 2000),
        Target("product.care_interval_days"),
        Target("product.care_min"),
        Target("product.care_max"),
    ),
    ORDERS: _named(
        Target("order.code", 80, required=True),
        Target("order.placed_at", required=True),
        Target("order.kind"),
        Target("order.marketplace", 80),
        Target("order.status", 80),
        Target("order.note", 4000),
        Target("order.shipping", 400),
        Target("customer.code", 80),
        Target("customer.name", 200),
        Target("customer.area", 200),
        Target("customer.phone", 40),
        Target("customer.email", 200),
        Target("customer.address", 400),
        Target("customer.tax_code", 40),
        Target("line.product_code", 80, required=True),
        Target("line.product_name", 400),
        Target("line.quantity", required=True),
        Target("line.unit_price"),
    ),
}
