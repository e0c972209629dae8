"""A sentence that still has to be said in the reader's language."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sentence:
    """An English gettext id with named parameters; views translate it and format the parameters.

    Dates among the parameters are formatted in the reader's language (dd/mm/yyyy in Vietnamese),
    nested Sentences are translated first.
    """

    message: str
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.params if self.params else self.message
