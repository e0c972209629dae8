"""What every installation starts with: pick lists in the words of the acceptance list, the site.

Start-up adds what is missing and touches nothing that a site changed: a shipped list that exists
keeps its values, their order, labels and colours (S3.4).
"""

from typing import Any

from models import ConfigurationItem, Site
from models.configuration import SHIPPED
from services import relationship_setup, schedules

# key: (label vi, label en, values as (key, vi, en, colour))
SHIPPED_LISTS: dict[str, tuple[str, str, list[tuple[str, str, str, str]]]] = {
    "feedback": (
        "Loại phản hồi",
        "Feedback type",
        [
            ("satisfied", "Hài lòng", "Satisfied", "green"),
            ("neutral", "Bình thường", "Neutral", "gray"),
            ("dissatisfied", "Chưa hài lòng", "Dissatisfied", "red"),
            ("no_answer", "Không nghe máy", "No answer", "orange"),
            ("call_back", "Hẹn lại", "Call back", "azure"),
        ],
    ),
    "relationship": (
        "Mối quan hệ",
        "Relationship",
        [
            ("new", "Mới", "New", "azure"),
            ("approached", "Tiếp cận", "Approached", "gray"),
            ("hot", "Nóng", "Hot", "red"),
            ("potential", "Tiềm năng", "Potential", "purple"),
            ("lost", "Mất", "Lost", "orange"),
            ("won", "Chốt", "Won", "green"),
            ("do_not_forget", "Đừng quên", "Do not forget", "yellow"),
        ],
    ),
    "channel": (
        "Kênh khách hàng",
        "Channel",
        [
            ("shop", "Cửa hàng", "Shop", "teal"),
            ("online", "Trực tuyến", "Online", "blue"),
            ("agent", "Đại lý", "Agent", "purple"),
        ],
    ),
    "source": (
        "Nguồn khách hàng",
        "Source",
        [
            ("facebook", "Facebook", "Facebook", "blue"),
            ("zalo", "Zalo", "Zalo", "azure"),
            ("referral", "Giới thiệu", "Referral", "green"),
            ("walk_in", "Khách vãng lai", "Walk-in", "gray"),
            ("marketplace", "Sàn thương mại điện tử", "Marketplace", "orange"),
        ],
    ),
    "group": (
        "Nhóm khách hàng",
        "Customer group",
        [
            ("retail", "Khách lẻ", "Retail", "gray"),
            ("wholesale", "Khách sỉ", "Wholesale", "purple"),
            ("vip", "VIP", "VIP", "yellow"),
        ],
    ),
    "preferred_contact": (
        "Hình thức nhận tin",
        "Preferred contact",
        [
            ("phone", "Điện thoại", "Phone", "teal"),
            ("sms", "SMS", "SMS", "gray"),
            ("email", "Email", "E-mail", "blue"),
            ("zalo", "Zalo", "Zalo", "azure"),
        ],
    ),
    "marketplace": (
        "Sàn",
        "Marketplace",
        [
            ("direct", "Trực tiếp", "Direct", "gray"),
            ("shopee", "Shopee", "Shopee", "orange"),
            ("lazada", "Lazada", "Lazada", "blue"),
            ("tiktok", "TikTok Shop", "TikTok Shop", "purple"),
        ],
    ),
    "order_status": (
        "Trạng thái đơn hàng",
        "Order status",
        [
            ("confirmed", "Đã xác nhận", "Confirmed", "azure"),
            ("shipping", "Đang giao", "Shipping", "yellow"),
            ("completed", "Hoàn thành", "Completed", "green"),
            ("cancelled", "Đã hủy", "Cancelled", "red"),
        ],
    ),
    # For fields and kinds of documents that a site defines: no screen of its own uses them.
    "usage_reason": (
        "Lý do ngưng/chưa sử dụng",
        "Reason for not using",
        [
            ("no_need", "Chưa có nhu cầu", "No need yet", "gray"),
            ("needs_help", "Chưa biết cách dùng", "Does not know how to use it", "azure"),
            ("unsuitable", "Không phù hợp", "Not suitable", "orange"),
            ("too_expensive", "Giá cao", "Too expensive", "yellow"),
            ("changed_supplier", "Chuyển sang nhà cung cấp khác", "Changed supplier", "red"),
            ("closed", "Ngừng kinh doanh", "Out of business", "purple"),
        ],
    ),
    "task_type": (
        "Loại công việc",
        "Task type",
        [
            ("call", "Gọi điện", "Call", "teal"),
            ("meeting", "Gặp mặt", "Meeting", "blue"),
            ("message", "Nhắn tin", "Message", "azure"),
            ("quote", "Gửi báo giá", "Send a quote", "yellow"),
            ("other", "Việc khác", "Other", "gray"),
        ],
    ),
    "stage": (
        "Giai đoạn cơ hội",
        "Opportunity stage",
        [
            ("discovery", "Khám phá nhu cầu", "Discovery", "azure"),
            ("quote", "Báo giá", "Quote", "yellow"),
            ("negotiation", "Đàm phán", "Negotiation", "purple"),
            ("closed", "Đã chốt", "Closed", "green"),
        ],
    ),
}


def ensure() -> None:
    """Adds missing shipped lists, rules, schedules and the site document. Safe to call from several processes."""
    Site.collection().update_one(
        {"key": "site"},
        {"$setOnInsert": {"care_mode": "unlimited", "config_rev": 1, "version": 1}},
        upsert=True,
    )
    for key in SHIPPED_LISTS:
        ConfigurationItem.collection().update_one(
            {"section": "pick_lists", "key": key},
            {
                "$setOnInsert": {
                    "content": _shipped_list(key),
                    "source": SHIPPED,
                    "version": 1,
                }
            },
            upsert=True,
        )
    relationship_setup.ensure()
    schedules.ensure()


def _shipped_list(key: str) -> dict[str, Any]:
    label_vi, label_en, values = SHIPPED_LISTS[key]
    return {
        "label_vi": label_vi,
        "label_en": label_en,
        "values": [
            {"key": key, "label_vi": vi, "label_en": en, "colour": colour, "retired": False}
            for key, vi, en, colour in values
        ],
    }
