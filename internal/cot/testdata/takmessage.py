# Reads pairs of an event in XML and a frame of TAK protocol version 1, each after its length in four bytes, and prints
# for each pair a line of JSON: a list of what the two say differently. It takes the frame apart by the rules of the wire
# format and the published field numbers alone.
import calendar
import json
import re
import struct
import sys
import xml.etree.ElementTree as ET

VARINT, FIXED64, BYTES = 0, 1, 2

EVENT = {1: "type", 2: "access", 3: "qos", 4: "opex", 5: "uid", 9: "how", 16: "caveat", 17: "releasableTo"}
TIMES = {6: "time", 7: "start", 8: "stale"}
POINT = {10: "lat", 11: "lon", 12: "hae", 13: "ce", 14: "le"}
DETAIL = {
    2: ("contact", {1: "endpoint", 2: "callsign", 3: "altendpoints"}),
    3: ("__group", {1: "name", 2: "role"}),
    4: ("precisionlocation", {1: "geopointsrc", 2: "altsrc"}),
    5: ("status", {1: "battery"}),
    6: ("takv", {1: "device", 2: "platform", 3: "os", 4: "version"}),
    7: ("track", {1: "speed", 2: "course"}),
}
OPTIONAL = {"endpoint", "altendpoints"}
NUMBERS = {"battery", "speed", "course"}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The fields of a message by number; each may be there once."""
    found, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number in found:
            raise ValueError(f"field {number} is there twice")
        if kind == VARINT:
            found[number], at = varint(data, at)
        elif kind == FIXED64:
            (found[number],) = struct.unpack_from("<d", data, at)
            at += 8
        elif kind == BYTES:
            size, at = varint(data, at)
            found[number] = data[at : at + size]
            at += size
            if at > len(data):
                raise ValueError("a field is cut short")
        else:
            raise ValueError(f"wire type {kind}")
    return found


def milliseconds(text):
    match = re.fullmatch(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.(\d+))?(?:Z|([+-])(\d+):(\d+))?", text)
    *parts, fraction, sign, hours, minutes = match.groups()
    seconds = calendar.timegm(tuple(int(p) for p in parts))
    if sign:
        seconds -= int(sign + "1") * (int(hours) * 3600 + int(minutes) * 60)
    return seconds * 1000 + int((fraction or "0").ljust(3, "0")[:3])


def canonical(element):
    return (
        element.tag,
        sorted(element.attrib.items()),
        element.text or "",
        [(canonical(child), child.tail or "") for child in element],
    )


def typed(number, data):
    """What a message stands for, as an element."""
    name, attributes = DETAIL[number]
    found = fields(data)
    values = {}
    for key, attribute in attributes.items():
        value = found.pop(key, 0 if attribute in NUMBERS else b"")
        if attribute in NUMBERS:
            values[attribute] = float(value)
        elif value or attribute not in OPTIONAL:
            values[attribute] = value.decode()
    if found:
        raise ValueError(f"{name} has unknown fields")
    return name, values


def event_of(frame):
    if frame[0] != 0xBF:
        raise ValueError("no 0xBF")
    size, at = varint(frame, 1)
    if len(frame) != at + size or size > 65536:
        raise ValueError("the length is wrong")
    message = fields(frame[at:])
    if list(message) != [2]:
        raise ValueError("not one event alone")
    return fields(message[2])


def compare(document, frame):
    faults = []

    def same(what, ours, theirs):
        if ours != theirs:
            faults.append(f"{what}: {ours!r}, not {theirs!r}")

    event = ET.fromstring(document)
    found = event_of(frame)
    for number, name in EVENT.items():
        same(name, found.pop(number, b"").decode(), event.get(name, ""))
    for number, name in TIMES.items():
        same(name, found.pop(number, 0), milliseconds(event.get(name)))
    point = event.find("{*}point")
    for number, name in POINT.items():
        same(name, struct.pack("d", found.pop(number, 0.0)), struct.pack("d", float(point.get(name))))
    detail = event.find("{*}detail")
    same("detail", 15 in found, detail is not None)
    if detail is not None:
        inside = fields(found.pop(15))
        rest = ET.fromstring(b"<detail>" + inside.pop(1, b"") + b"</detail>")
        others = [canonical(child) for child in rest]
        for child in detail:
            if others and canonical(child) == others[0]:
                others.pop(0)
                continue
            number = next((n for n, (name, _) in DETAIL.items() if name == child.tag.split("}")[-1]), None)
            if number not in inside or len(child) or child.text:
                faults.append(f"{child.tag} is missing")
                continue
            name, values = typed(number, inside.pop(number))
            same(name, values, {k: float(v) if k in NUMBERS else v for k, v in child.attrib.items()})
            same(name + " in xmlDetail", [c.tag for c in rest if c.tag.split("}")[-1] == name], [])
        same("what is left of xmlDetail", others, [])
        same("what is left of detail", inside, {})
    same("what is left of the event", found, {})
    return faults


source = sys.stdin.buffer


def read():
    head = source.read(4)
    return source.read(struct.unpack(">I", head)[0]) if head else None


while (document := read()) is not None:
    try:
        print(json.dumps(compare(document, read())))
    except Exception as e:  # a frame that cannot be read is what we look for
        print(json.dumps([f"{type(e).__name__}: {e}"]))
