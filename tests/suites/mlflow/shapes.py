"""The fields of requests: from protobuf descriptors, pydantic models and handlers' own reading, as one kind of messages.

`Shapes` maps a message's full name to its fields, and a field to its type: `s` (any scalar), `[s]`, another message's name, that in
brackets, `{s}` (a map of scalars) or `*` (free)."""

import ast
import inspect
import re
import textwrap
import types
import typing

import classes

# Messages that JSON writes as one scalar, and those that it writes as anything.
SCALARS = ("Timestamp", "Duration", "FieldMask")
FREE = ("Struct", "Value", "ListValue", "Any")


class Shapes(dict):
    """Messages by their full names."""

    def descriptor(self, message):
        """A protobuf message and all that it reaches; returns its name, or `-` when it has no fields."""
        name = message.full_name
        if name not in self:
            self[name] = fields = {}
            for field in message.fields:
                if (name, field.name) not in classes.WITHHELD:
                    fields[field.name] = self._field(field)
        return name if self[name] else "-"

    def _field(self, field):
        if field.type == field.TYPE_BYTES:
            return "*"
        if field.type not in (field.TYPE_MESSAGE, field.TYPE_GROUP):
            return "[s]" if field.is_repeated else "s"
        inner = field.message_type
        if inner.GetOptions().map_entry:
            return "{s}" if self._field(inner.fields_by_name["value"]) == "s" else "*"
        if inner.full_name.startswith("google.protobuf."):
            word = inner.full_name.rpartition(".")[2]
            kind = "s" if word in SCALARS or (word.endswith("Value") and word not in FREE and word != "BytesValue") else "*"
        else:
            kind = self.descriptor(inner)
            # Without fields its presence is all it says.
            kind = "*" if kind == "-" else kind
        return f"[{kind}]" if field.is_repeated and kind != "*" else kind

    def pydantic(self, model):
        """A pydantic model and all that it reaches; `*` where it takes fields that it does not name."""
        name = f"{model.__module__}.{model.__name__}"
        if name not in self:
            self[name] = fields = {}
            for field, info in model.model_fields.items():
                fields[info.alias or field] = self.annotation(info.annotation)
        return "*" if model.model_config.get("extra") == "allow" else name

    def annotation(self, kind):
        """The type of what Python annotates so."""
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is typing.Annotated:
            return self.annotation(inner[0])
        if origin in (typing.Union, types.UnionType):
            kinds = {self.annotation(one) for one in inner if one is not type(None)}
            return kinds.pop() if len(kinds) == 1 else "*"
        if origin is typing.Literal:
            return "s"
        if origin in (list, set, tuple):
            one = self.annotation(inner[0])
            return "*" if one == "*" or one[0] in "[{" else f"[{one}]"
        if origin is dict:
            return "{s}" if self.annotation(inner[1]) == "s" else "*"
        if not inspect.isclass(kind):
            return "*"
        if hasattr(kind, "model_fields"):
            return self.pydantic(kind)
        return "*" if kind in (dict, list, bytes, object) else "s"

    def handler(self, function):
        """What a handler reads by name out of the query or the body; `-` when it reads nothing, `*` when that cannot be told."""
        found, opaque = {}, False
        for one in reached(inspect.unwrap(function)):
            names, blind = reads(one)
            found.update(names)
            opaque |= blind
        if not found:
            return "*" if opaque else "-"
        name = f"{function.__module__}.{inspect.unwrap(function).__name__}"
        self[name] = found
        return name


def reached(function):
    """The function, and those of MLflow's server that it calls with no more than the parts of the path that it was handed."""
    yield function
    parts = set(inspect.signature(function).parameters)
    for node in ast.walk(tree(function)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and {ast.unparse(one) for one in node.args} <= parts:
            called = inspect.unwrap(function.__globals__.get(node.func.id, len))
            if inspect.isfunction(called) and called.__module__.startswith("mlflow.server"):
                yield called


def tree(function):
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


BAGS = ("request.args", "request.json", "request.get_json", "_get_validated_flask_request_json")
# Where MLflow's authentication takes one value out of query or body.
ONE = re.compile(r"_get_(\w+_)?request_param$")


def reads(function):
    """The names that a function takes out of the request with their types, and whether it reads it in a way not understood."""
    body = tree(function)
    assigned = [one for one in ast.walk(body) if isinstance(one, ast.Assign) and is_bag(one.value, {})]
    bags = {ast.unparse(one.targets[0]): ast.unparse(one.value) for one in assigned}
    found = {}
    for node in ast.walk(body):
        call = isinstance(node, ast.Call)
        if call and isinstance(node.func, ast.Name) and ONE.match(node.func.id):
            found[node.args[0].value] = "s"
        elif call and isinstance(node.func, ast.Name) and node.func.id == "_get_validated_flask_request_json":
            schema = next((one.value for one in node.keywords if one.arg == "schema"), ast.Dict([], []))
            for key, checks in zip(schema.keys, schema.values):
                found[key.value] = "*" if "_assert_array" in ast.unparse(checks) else "s"
        elif call and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "getlist") and node.args:
            take(found, bags, node.func.value, node.args[0], many=node.func.attr == "getlist")
        elif isinstance(node, ast.Subscript):
            take(found, bags, node.value, node.slice, many=False)
    return found, not found and "request." in ast.unparse(body)


def take(found, bags, bag, key, many):
    """Notes one name that is taken out of a bag: values of a query are scalars or lists of them, those of a body are anything."""
    if is_bag(bag, bags) and isinstance(key, ast.Constant) and isinstance(key.value, str):
        text = bags.get(ast.unparse(bag), ast.unparse(bag))
        query = "request.args" in text and "request.json" not in text
        found.setdefault(key.value, "[s]" if many or "flat=False" in text else "s" if query else "*")


def is_bag(node, bags):
    """Whether an expression is the whole query or body."""
    if isinstance(node, ast.Name):
        return node.id in bags
    text = ast.unparse(node)
    return any(text.startswith(word) or f" {word}" in text for word in BAGS) and not re.search(r"\.get\(|\[['\"]", text)
