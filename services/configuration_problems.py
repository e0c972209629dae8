"""What is broken in the configuration as it is stored: told to administrators, in nobody's way."""

from models import ConfigurationItem
from models.configuration import ELSEWHERE
from rules import config_shapes
from rules.config_diff import ItemDiff
from rules.sentences import Sentence
from services import configuration_parts
from services.configuration import Configuration

Found = tuple[ItemDiff, Sentence]
MOST = 100


def found(now: Configuration) -> list[Found]:
    """Each item that is broken, with what is wrong; at most MOST."""
    problems = [*_shapes(), *_fields(now), *_roles(now)]
    unique = {(item.section, item.key, str(said)): (item, said) for item, said in problems}
    return list(unique.values())[:MOST]


def _shapes() -> list[Found]:
    """Items that do not contain what their section may contain."""
    problems: list[Found] = []
    for one in ConfigurationItem.collection().find({"section": {"$nin": sorted(ELSEWHERE)}}):
        section, key = str(one["section"]), str(one["key"])
        content = one.get("content")
        item = ItemDiff(section, key, None, content if isinstance(content, dict) else {})
        for place, error in config_shapes.section_problems(
            {section: {key: configuration_parts.plain(content)}}
        ):
            way = " › ".join(str(part) for part in place[2:])
            said = Sentence(error.message, error.params)
            problems.append(
                (
                    item,
                    Sentence(f"{way.replace('%', '%%')}: %(said)s", {"said": said})
                    if way
                    else said,
                )
            )
    return problems


def _fields(now: Configuration) -> list[Found]:
    return [
        (
            ItemDiff("fields", f"{kind.key}.{field.key}", None, _content(now, kind.key, field.key)),
            field.problem,
        )
        for kind in now.kinds.values()
        for field in kind.fields.values()
        if field.problem is not None
    ]


def _content(now: Configuration, kind: str, key: str) -> dict[str, object]:
    return dict(now.section("fields").get(f"{kind}.{key}", {}))


def _roles(now: Configuration) -> list[Found]:
    return [
        (ItemDiff("roles", role.key, None, {"label_vi": role.label_vi}), role.problem)
        for role in now.roles.values()
        if role.problem is not None
    ]
