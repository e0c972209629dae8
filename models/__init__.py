"""Documents: their shape and their indexes. No document writes itself; `services/` does."""

from models.api_token import ApiToken
from models.area import Area
from models.attachment import Attachment
from models.audit_entry import AuditEntry
from models.bulk_edit import BulkEdit, BulkEdited
from models.configuration import ConfigurationItem, ConfigurationRevision
from models.counter import Counter
from models.customer import Customer
from models.hand_over import HandedOver, HandOver
from models.interaction import Interaction
from models.job_run import JobRun
from models.login_attempts import LoginAttempts
from models.mail_message import MailMessage
from models.order import Order
from models.outbox import OutboxMessage
from models.product import Product, ProductGroup
from models.record import Record
from models.record_import import RecordImport, RecordImportRow
from models.relationship import RelationshipSetup
from models.saved_view import SavedView
from models.schedule import Schedule
from models.site import Site
from models.staff import Staff
from models.trash import TrashedRecord
from models.used_sign_in import UsedSignIn
from models.value_move import ValueMove

DOCUMENTS = (
    ApiToken,
    Area,
    Attachment,
    AuditEntry,
    BulkEdit,
    BulkEdited,
    ConfigurationItem,
    ConfigurationRevision,
    Counter,
    Customer,
    HandOver,
    HandedOver,
    Interaction,
    JobRun,
    LoginAttempts,
    MailMessage,
    Order,
    OutboxMessage,
    Product,
    ProductGroup,
    Record,
    RecordImport,
    RecordImportRow,
    RelationshipSetup,
    SavedView,
    Schedule,
    Site,
    Staff,
    TrashedRecord,
    UsedSignIn,
    ValueMove,
)

__all__ = [
    "DOCUMENTS",
    "ApiToken",
    "Area",
    "Attachment",
    "AuditEntry",
    "BulkEdit",
    "BulkEdited",
    "ConfigurationItem",
    "ConfigurationRevision",
    "Counter",
    "Customer",
    "HandOver",
    "HandedOver",
    "Interaction",
    "JobRun",
    "LoginAttempts",
    "MailMessage",
    "Order",
    "OutboxMessage",
    "Product",
    "ProductGroup",
    "Record",
    "RecordImport",
    "RecordImportRow",
    "RelationshipSetup",
    "SavedView",
    "Schedule",
    "Site",
    "Staff",
    "TrashedRecord",
    "UsedSignIn",
    "ValueMove",
]
