"""The relationship rules that every installation starts with (S3.4).

They stand in this order because the first that holds decides: who was forgotten needs a call, be
they buyers or not; a purchase after a person's choice is news; a buyer is won; who was spoken to is
approached; everybody else is new. [Nóng], [Tiềm năng] and [Mất] are a person's to choose.
"""

from typing import Any

from models.relationship import CARE_CONTACT, NOTE_CONTACT, ORDER_CONTACT

FORGOTTEN_AFTER_DAYS = 30  # S3.4: "for example 30"
CONTACTS = [CARE_CONTACT, NOTE_CONTACT, ORDER_CONTACT]
UNANSWERED = ["no_answer"]


def rules() -> list[dict[str, Any]]:
    """The rules as they are stored."""
    return [
        _rule(
            "do_not_forget",
            "Đừng quên: lâu chưa liên hệ",
            "Do not forget: no contact for a while",
            "do_not_forget",
            [
                _condition("days_since_contact", "at_least", number=FORGOTTEN_AFTER_DAYS),
                _condition("relationship", "none_of", values=["lost"]),
            ],
            hold_days=FORGOTTEN_AFTER_DAYS,
        ),
        _rule(
            "won_after_choice",
            "Chốt: mua hàng sau khi chọn tay",
            "Won: bought after the status was chosen by hand",
            "won",
            [_condition("purchase_after_choice", "known")],
            hold_days=0,
        ),
        _rule(
            "won",
            "Chốt: đã có đơn hàng",
            "Won: has an order",
            "won",
            [_condition("order_count", "at_least", number=1)],
        ),
        _rule(
            "approached",
            "Tiếp cận: đã liên hệ",
            "Approached: was contacted",
            "approached",
            [_condition("days_since_contact", "known")],
        ),
        _rule("new", "Mới: các trường hợp còn lại", "New: everybody else", "new", []),
    ]


def _rule(
    key: str,
    label_vi: str,
    label_en: str,
    status: str,
    conditions: list[dict[str, Any]],
    hold_days: int | None = None,
) -> dict[str, Any]:
    return {
        "key": key,
        "label_vi": label_vi,
        "label_en": label_en,
        "status": status,
        "conditions": conditions,
        "hold_days": hold_days,
        "is_enabled": True,
        "source": "shipped",
    }


def _condition(fact: str, operator: str, **how: Any) -> dict[str, Any]:
    return {"fact": fact, "operator": operator} | how
