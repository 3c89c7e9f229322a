# Reads documents, each after its length in four bytes, and prints expat's opinion of each as a line of JSON. Names of
# the fields are those of the Go test.
import json
import struct
import sys
import xml.parsers.expat

SEPARATOR = "\x01"  # no document can hold it


def local(name):
    """The name as written, with its prefix."""
    parts = name.split(SEPARATOR)
    return parts[2] + ":" + parts[1] if len(parts) == 3 else parts[-1]


def split(name):
    """The prefix of a name as written, and the local part."""
    prefix, _, rest = name.rpartition(":")
    return prefix, rest


class Clients:
    """What clients would read differently of what an event is about."""

    def __init__(self):
        self.met, self.deletes = set(), False

    def differ(self, path, attributes):
        """Tells whether they would of the element at the end of the path, which has these attributes."""
        (prefix, name), depth = split(path[-1]), len(path)
        behind = {split(a)[1] for a in attributes if ":" in a}
        if depth == 1:
            self.deletes = attributes.get("type", "").startswith("t-x-d-d")
            return bool(behind & {"uid", "type"})
        if name == "link" and self.deletes:
            alone = not prefix and depth == 3 and path[1] == "detail" and "link" not in self.met
            self.met.add("link")
            return not alone or "uid" in behind
        if depth == 2 or path[1] != "detail":
            if name in ("detail", "point"):
                alone = not prefix and depth == 2 and name not in self.met
                self.met.add(name)
                return not alone
            return name == "event"
        return False


def judge(document):
    found = {"WellFormed": True}
    path = []
    clients, declared = Clients(), []

    def declares(prefix, _):
        if prefix:
            declared.append("xmlns:" + prefix)

    def declaration(version, encoding, standalone):
        found["Version"], found["Encoding"] = version or "", encoding or ""

    def doctype(*_):
        found["Doctype"] = True

    def start(name, attributes):
        path.append(local(name))
        found["Depth"] = max(found.get("Depth", 0), len(path))
        found.setdefault("Root", path[0])
        written = {local(a): value for a, value in attributes.items()} | dict.fromkeys(declared, "")
        declared.clear()
        if clients.differ(path, written):
            found["Ambiguous"] = True
        if len(path) == 1:
            for key, field in (("uid", "UID"), ("type", "Type"), ("how", "How")):
                found[field] = attributes.get(key, "")
        if path[1:] == ["detail", "contact"]:
            found.setdefault("Callsign", attributes.get("callsign", ""))
            found.setdefault("Endpoint", attributes.get("endpoint", ""))

    def end(_):
        path.pop()

    parser = xml.parsers.expat.ParserCreate(namespace_separator=SEPARATOR)
    parser.namespace_prefixes = True
    parser.XmlDeclHandler = declaration
    parser.StartDoctypeDeclHandler = doctype
    parser.StartNamespaceDeclHandler = declares
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(document, True)
    except (xml.parsers.expat.ExpatError, LookupError, ValueError):  # the latter two for an encoding Python lacks
        found["WellFormed"] = False
    return found


source = sys.stdin.buffer
while head := source.read(4):
    print(json.dumps(judge(source.read(struct.unpack(">I", head)[0]))))
