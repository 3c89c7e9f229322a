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


def judge(document):
    found = {"WellFormed": True}
    path = []

    def declaration(version, encoding, standalone):
        found["Version"], found["Encoding"] = version or "", encoding or ""

    def doctype(*_):
        found["Doctype"] = True

    def start(name, attributes):
        path.append(local(name))
        found["Depth"] = max(found.get("Depth", 0), len(path))
        found.setdefault("Root", path[0])
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
