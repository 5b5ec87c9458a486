"""endpoints.py [--check FILE]: the table of the endpoints of the installed MLflow and databricks-sdk, as
agent/src/gateway/endpoints.txt has it, or what that file lacks of it: one complaint per line, and exit 1.

One endpoint per line, sorted, then a blank line, then every message that a request reaches:

    METHOD /canonical/path action message [guard,guard…]
    message Name field:type field:type …

`{x}` is one segment, `{x...}` is the rest. `/ajax-api/` is folded into `/api/`. The message names the fields that query and body may
have: `-` none, `*` not declared anywhere, `stream` bytes. A type is `s` (any scalar), `[s]`, `Name`, `[Name]`, `{s}` (a map of
scalars) or `*` (free). What the actions are, and why, is in classes.py. Rows that the installed MLflow does not have are no
complaint: the file serves older and newer ones, too."""

import re
import sys

import classes
import sources


USAGE, UNREADABLE, UNCLEAR = 64, 66, 70


class Table:
    """Rows by (method, path): (action, message, guards); messages by name: fields by name."""

    def __init__(self, rows, messages):
        self.rows, self.messages = rows, messages


def main(arguments):
    match arguments:
        case []:
            installed, problems = table()
            stream = sys.stderr
        case ["--check", path]:
            try:
                with open(path, encoding="utf-8") as file:
                    written = file.read()
            except (OSError, UnicodeDecodeError) as error:
                print(f"{path}: {error}", file=sys.stderr)
                return UNREADABLE
            installed, problems = table()
            problems += check(installed, written)
            stream = sys.stdout
        case _:
            print(__doc__, file=sys.stderr)
            return USAGE
    if problems:
        print(*problems, sep="\n", file=stream)
        return 1
    if not arguments:
        sys.stdout.write(text(installed))
    return 0


def table():
    """What is installed, classified; and complaints about endpoints that no rule classifies."""
    found, shapes = sources.collect()
    rows, unknown = {}, []
    for (method, path), message in found.items():
        action = classify(method, path)
        if action not in classes.ACTIONS:
            unknown.append(f"unclassified: {method} {path} is {action or 'matched by no rule'}")
            continue
        if re.search(classes.STREAMS, f"{method} {path}"):
            message = "stream"
        for pattern, name, declared in classes.MESSAGES:
            if re.search(pattern, f"{method} {path}"):
                message, shapes[name] = name, dict(field.split(":") for field in declared.split())
        if action in classes.NEVER:
            message = "-"
        rows[method, path] = action, message, guards(method, path, action, message, shapes)
    reachable = reach({message for _, message, _ in rows.values()}, shapes)
    short = shortened(reachable)
    messages = {short[name]: {field: renamed(kind, short) for field, kind in shapes[name].items()} for name in reachable}
    rows = {key: (action, short.get(message, message), words) for key, (action, message, words) in rows.items()}
    return Table(rows, messages), unknown


def classify(method, path):
    """The action of the first rule that finds the endpoint; None if none does."""
    for pattern, action in classes.RULES:
        if re.search(pattern, f"{method} {path}"):
            if not action.endswith(".*"):
                return action
            verb = classes.WORDS.get(re.split(r"[/:]", path)[-1], classes.VERBS[method])
            return action.replace("*", verb)
    return None


def guards(method, path, action, message, shapes):
    """What needs a look inside, in the order of the list."""
    if re.search(r"\.read$|^(deny|server\.info)$", action):
        return ()
    line = f"{method} {path} {action}"
    words = {word for pattern, word in classes.GUARDS if re.search(pattern, line)}
    for field in fields(message, shapes):
        words |= {word for row, pattern, word in classes.FIELDS if re.search(row, line) and re.search(pattern, field)}
    return tuple(word for word in classes.GUARD_WORDS if word in words)


def fields(message, shapes, within=()):
    """The paths of all fields of a message, through the messages below it."""
    for field, kind in shapes.get(message, {}).items():
        yield field
        inner = kind.strip("[]")
        if inner in shapes and inner not in within:
            yield from (f"{field}.{one}" for one in fields(inner, shapes, (*within, message)))


def reach(names, shapes):
    """The messages among the names, and all below them."""
    reached, waiting = set(), [name for name in names if name in shapes]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [inner for kind in shapes[name].values() if (inner := kind.strip("[]")) in shapes]
    return reached


def shortened(names):
    """The shortest end of each full name that is no other's."""
    ends = {}
    for name in names:
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            ends.setdefault(".".join(parts[-count:]), set()).add(name)
    by_length = sorted(ends, key=len, reverse=True)
    return {name: end for end in by_length if len(ends[end]) == 1 for name in ends[end]}


def renamed(kind, short):
    inner = kind.strip("[]")
    return kind.replace(inner, short[inner]) if inner in short else kind


def text(table):
    """The file."""
    lines = []
    for key, (action, message, words) in table.rows.items():
        lines.append(" ".join([*key, action, message, *([",".join(words)] if words else [])]))
    messages = []
    for name, fields in table.messages.items():
        messages.append(" ".join(["message", name, *(f"{field}:{kind}" for field, kind in fields.items())]))
    return "\n".join([*sorted(lines), "", *sorted(messages), ""])


def parse(written):
    """The file's table, and complaints about the file itself."""
    head, _, tail = written.partition("\n\n")
    rows, messages, problems, shapes = {}, {}, [], {}
    for line in head.split("\n"):
        words = line.split(" ")
        if len(words) not in (4, 5):
            problems.append(f"malformed: {line}")
            continue
        method, path, action, message, *more = words
        guards = tuple(more[0].split(",")) if more else ()
        # Segments, none of them dots; what is named by a place that takes the rest ends the path.
        segment = r"/(?!\.\.?(/|$))([\w.:-]|\{\w+\})*"
        if not re.fullmatch(r"GET|HEAD|POST|PUT|PATCH|DELETE", method) or not re.fullmatch(rf"({segment})+(\{{\w+\.\.\.\}})?", path):
            problems.append(f"malformed: {line}")
        if action not in classes.ACTIONS:
            problems.append(f"no such action: {line}")
        problems += [f"no such guard: {line}" for word in guards if word not in classes.GUARD_WORDS]
        same = shapes.setdefault((method, re.sub(r"\{\w+", "{", path)), line)
        if same is not line:
            problems.append(f"twice: {line}")
        rows[method, path] = action, message, guards
    for line in tail.split("\n")[:-1]:
        if not re.fullmatch(r"message [\w.]+( \w+:(s|\*|\[s\]|\{s\}|[\w.]+|\[[\w.]+\]))+", line):
            problems.append(f"malformed: {line}")
            continue
        _, name, *inner = line.split(" ")
        if name in messages:
            problems.append(f"twice: {line}")
        messages[name] = dict(field.split(":") for field in inner)
    for part in (head.split("\n"), tail.split("\n")[:-1]):
        problems += [f"not sorted: {line}" for line, before in zip(part[1:], part) if line < before]
    if not written.endswith("\n"):
        problems.append("malformed: it does not end in a line feed")
    named = {message for _, message, _ in rows.values()} - {"-", "*", "stream"}
    named |= {kind.strip("[]") for inner in messages.values() for kind in inner.values()} - {"s", "*", "{s}"}
    problems += [f"no such message: {name}" for name in sorted(named - messages.keys())]
    problems += [f"nobody has the message: {name}" for name in sorted(messages.keys() - named)]
    return Table(rows, messages), problems


def check(installed, written):
    """What the file lacks or has otherwise."""
    file, problems = parse(written)
    # Whatever the places in a path are called, it is the same endpoint.
    there = {(method, re.sub(r"\{\w+", "{", path)): row for (method, path), row in file.rows.items()}
    for (method, path), (action, message, words) in sorted(installed.rows.items(), key=lambda row: row[0][::-1]):
        row = there.get((method, re.sub(r"\{\w+", "{", path)))
        if row is None:
            problems.append(f"missing: {method} {path} is {action}")
            continue
        if row[0] != action:
            problems.append(f"action: {method} {path} is {action}, the file has {row[0]}")
        if row[2] != words:
            problems.append(f"guards: {method} {path} has {','.join(words) or '-'}, the file has {','.join(row[2]) or '-'}")
        problems += [f"fields: {method} {path}: {one}" for one in differences(message, row[1], installed, file, "", set())]
    return problems


def differences(kind, other, installed, file, place, seen):
    """Where two messages, or types of fields, differ; what messages are called makes no difference."""
    inner, outer = kind.strip("[]"), other.strip("[]")
    known, named = inner in installed.messages, outer in file.messages
    if known != named or (kind[0] == "[") != (other[0] == "[") or (not known and kind != other):
        yield f"{place or 'the message'} is {kind}, the file has {other}"
    elif known and (inner, outer) not in seen:
        seen.add((inner, outer))
        ours, theirs = installed.messages[inner], file.messages[outer]
        for field in sorted(ours.keys() | theirs.keys()):
            where = f"{place}.{field}".lstrip(".")
            if field not in theirs:
                yield f"{where} is missing"
            elif field not in ours:
                yield f"{where} is not MLflow's"
            else:
                yield from differences(ours[field], theirs[field], installed, file, where, seen)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except sources.Unclear as error:
        print(f"cannot tell: {error}", file=sys.stderr)
        sys.exit(UNCLEAR)
