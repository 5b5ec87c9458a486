"""The rules of compute policies, as their reference describes them (docs.databricks.com/admin/clusters/policy-definition).

`violations(definition, cluster)` gives the paths whose rule a cluster breaks; `documentation.json` judges this file."""

import re


def attributes(value, path=""):
    """Every scalar of a cluster with its path: names and indices with dots between."""
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    else:
        yield path, value
        return
    for key, one in inner:
        yield from attributes(one, f"{path}.{key}" if path else str(key))


def text(value):
    """Values are text, or can be converted to it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def allows(rule, value):
    """Whether a rule allows a value; None is an attribute that is not there."""
    kind = rule["type"]
    if kind == "forbidden":
        return value is None
    if value is None:
        # "A limiting policy on an attribute makes it required"; a fixed value is required, too.
        return kind != "fixed" and rule.get("isOptional", False)
    if kind == "fixed":
        return text(value) == text(rule["value"])
    if kind in ("allowlist", "whitelist"):
        return text(value) in map(text, rule["values"])
    if kind in ("blocklist", "blacklist"):
        return text(value) not in map(text, rule["values"])
    if kind == "regex":
        return re.fullmatch(rule["pattern"], text(value)) is not None
    if kind == "range":
        return rule.get("minValue", float("-inf")) <= float(value) <= rule.get("maxValue", float("inf"))
    if kind == "unlimited":
        return True
    raise AssertionError(f"no such type: {kind}")


def general(path):
    """`*` stands for the index of an element, and for nothing else."""
    return re.compile(re.escape(path).replace(r"\.\*", r"\.[0-9]+"))


def violations(definition, cluster):
    found = dict(attributes(cluster))
    broken = []
    for path, rule in definition.items():
        if ".*" not in path:
            broken += [path] if not allows(rule, found.get(path)) else []
            continue
        # "Generic limitations apply to every array element that does not have a specific limitation."
        elements = [name for name in found if general(path).fullmatch(name) and name not in definition]
        broken += [name for name in elements if not allows(rule, found[name])]
    return sorted(broken)
