"""What an operator asks of the store about a computed field, whose value is nowhere stored."""

from collections.abc import Mapping
from typing import Any

from rules.errors import N_, InvalidInput
from rules.expression_pipeline import server_expression
from rules.fields import Field
from rules.operator_criteria import Criteria, asked
from rules.operators import DENIED, Context, operator

_VALUE = "$$value"


def computed_criteria(
    field: Field,
    key: str,
    values: tuple[str, ...],
    context: Context,
    fields: Mapping[str, Field],
) -> Criteria:
    """The query of the store, which computes the field for every record that it looks at.

    Raises InvalidInput for a question or an expression that cannot be used.
    """
    chosen = operator(field, key)
    if chosen is None:
        raise InvalidInput(N_("This field cannot be asked that. Choose another operator."))
    computed = computed_value(field, context, fields)
    positive = DENIED.get(key, key)
    is_filled = {"$ne": [_VALUE, None]}
    test: Any = is_filled
    if positive != "filled":
        bounds = asked(field, positive, chosen.takes, values, context)
        test = {"$and": [is_filled, *(_compared(name, one) for name, one in bounds.items())]}
    whole = {"$not": [test]} if key in DENIED else test
    return {"$expr": {"$let": {"vars": {"value": computed}, "in": whole}}}


def computed_value(field: Field, context: Context, fields: Mapping[str, Field]) -> Any:
    """The field's value as an expression of the store's aggregation; null where it has none.

    Raises InvalidInput for an expression that cannot be used.
    """
    known = {name: one for name, one in (context.fields or fields).items() if one.is_usable}
    return server_expression(field.expression, known, context)


def _compared(name: str, operand: Any) -> Any:
    if name == "$regex":
        return {"$regexMatch": {"input": _VALUE, "regex": operand}}
    return {name: [_VALUE, {"$literal": operand}]}
