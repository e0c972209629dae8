"""Going back is always possible: what records have of the later configuration stays, retired (B.13)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rules.config_diff import ItemDiff
from rules.errors import N_
from rules.sentences import Sentence
from services import configuration_losses
from services.configuration import Configuration

Remark = tuple[ItemDiff, Sentence]


def kept(items: Sequence[ItemDiff], now: Configuration) -> tuple[list[ItemDiff], list[Remark]]:
    """The differences without what would lose data, and what stays instead, with the reason."""
    losses = configuration_losses.of(items, now)
    stays = {(one.item.section, one.item.key): one.stays for one in losses}
    staying = {key for section, key in stays if section == "kinds"}
    changed = [
        _instead(item, stays)
        for item in items
        if not (_goes(item, "fields") and item.key.partition(".")[0] in staying)
    ]
    named = _named_lists(items, changed)
    remarks = [(one.item, one.note) for one in losses]
    said = Sentence(N_("stays, because a field that stays takes its values from it."))
    remarks += [(one, said) for one in changed if _goes(one, "pick_lists") and one.key in named]
    changed = [one for one in changed if not (_goes(one, "pick_lists") and one.key in named)]
    return [one for one in changed if one.before != one.after], remarks


def _goes(item: ItemDiff, section: str) -> bool:
    return item.section == section and item.after is None


def _instead(item: ItemDiff, stays: Mapping[tuple[str, str], Mapping[str, Any]]) -> ItemDiff:
    return replace(item, after=stays.get((item.section, item.key), item.after))


def _named_lists(before: Iterable[ItemDiff], after: Iterable[ItemDiff]) -> set[str]:
    """The pick lists of fields that should have gone, or have another type, and stay as they are."""
    contents = {one.key: one.after for one in after if one.section == "fields"}
    fields = [one for one in before if one.section == "fields"]
    staying = (contents.get(one.key, one.before) for one in fields)
    return {str(one["pick_list"]) for one in staying if one and one.get("pick_list")}
