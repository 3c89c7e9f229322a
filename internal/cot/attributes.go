package cot

// readEvent reads the attributes of the start tag just read, that of the event.
func (c *converter) readEvent() error {
	e := &c.event
	var uid, kind, how, time, start, stale attribute
	for _, a := range c.s.attributes {
		switch string(c.s.b[a.name.start:a.name.end]) {
		case "uid":
			uid = a
		case "type":
			kind = a
		case "how":
			how = a
		case "time":
			time = a
		case "start":
			start = a
		case "stale":
			stale = a
		case "access":
			c.set(&e.Access, a)
		case "qos":
			c.set(&e.Qos, a)
		case "opex":
			c.set(&e.Opex, a)
		case "caveat":
			c.set(&e.Caveat, a)
		case "releasableTo":
			c.set(&e.ReleasableTo, a)
		}
	}
	if err := c.declared(); err != nil {
		return err
	}
	if uid.absent() || kind.absent() || how.absent() {
		return unsayable("the event lacks uid, type or how")
	}
	c.set(&e.Uid, uid)
	c.set(&e.Type, kind)
	c.set(&e.How, how)
	if !c.millis(&e.SendTime, time) || !c.millis(&e.StartTime, start) || !c.millis(&e.StaleTime, stale) {
		return unsayable("time, start or stale is not a time of the years 1970 to 9999")
	}
	return nil
}

// readPoint reads the attributes of the start tag just read, that of the point.
func (c *converter) readPoint() error {
	e := &c.event
	var lat, lon, hae, ce, le attribute
	for _, a := range c.s.attributes {
		switch string(c.s.b[a.name.start:a.name.end]) {
		case "lat":
			lat = a
		case "lon":
			lon = a
		case "hae":
			hae = a
		case "ce":
			ce = a
		case "le":
			le = a
		}
	}
	if !c.number(&e.Lat, lat) || !c.number(&e.Lon, lon) || !c.number(&e.Hae, hae) || !c.number(&e.Ce, ce) || !c.number(&e.Le, le) {
		return unsayable("lat, lon, hae, ce or le is not a finite number")
	}
	return nil
}

// absent tells whether there is no such attribute: a value stands after a tag's name.
func (a attribute) absent() bool { return a.end == 0 }

func (c *converter) millis(to *uint64, a attribute) (ok bool) {
	if a.absent() {
		return false
	}
	*to, ok = parseMillis(c.s.value(a))
	return ok
}

func (c *converter) number(to *float64, a attribute) (ok bool) {
	if a.absent() {
		return false
	}
	*to, ok = parseNumber(c.s.value(a))
	return ok
}

// readTyped reads the attributes of the start tag just read into the message for this kind of detail. It tells whether
// they are exactly those of the message, and would be written as they are.
func (c *converter) readTyped(kind int) bool {
	switch kind {
	case contactDetail:
		return c.readStrings(1,
			field{"callsign", &c.contact.Callsign},
			field{"endpoint", &c.contact.Endpoint},
			field{"altendpoints", &c.contact.Altendpoints})
	case groupDetail:
		return c.readStrings(2, field{"name", &c.group.Name}, field{"role", &c.group.Role})
	case precisionLocationDetail:
		p := &c.precisionLocation
		return c.readStrings(2, field{"geopointsrc", &p.Geopointsrc}, field{"altsrc", &p.Altsrc})
	case statusDetail:
		return c.readBattery()
	case takvDetail:
		t := &c.takv
		return c.readStrings(4, field{"device", &t.Device}, field{"platform", &t.Platform},
			field{"os", &t.Os}, field{"version", &t.Version})
	}
	return c.readTrack()
}

// field is a string of a message, with the name of its attribute.
type field struct {
	name string
	to   *string
}

// readStrings reads fields, of which the first so many must be there; the others must not be empty.
func (c *converter) readStrings(required int, fields ...field) bool {
	for _, a := range c.s.attributes {
		known := false
		for i, f := range fields {
			if string(c.s.b[a.name.start:a.name.end]) != f.name {
				continue
			}
			if i < required {
				required--
				fields[i], fields[required] = fields[required], fields[i]
			} else if a.value == a.end {
				return false
			}
			known = true
			c.set(f.to, a)
			break
		}
		if !known {
			return false
		}
	}
	return required == 0
}

func (c *converter) readBattery() (ok bool) {
	if len(c.s.attributes) != 1 {
		return false
	}
	a := c.s.attributes[0]
	c.status.Battery, ok = parseUint32(c.s.b[a.value:a.end])
	return ok && string(c.s.b[a.name.start:a.name.end]) == "battery"
}

func (c *converter) readTrack() bool {
	if len(c.s.attributes) != 2 {
		return false
	}
	for _, a := range c.s.attributes {
		written := c.s.b[a.value:a.end]
		value, ok := parseNumber(written)
		var shortest [32]byte
		if !ok || string(appendNumber(shortest[:0], value)) != string(written) {
			return false
		}
		switch string(c.s.b[a.name.start:a.name.end]) {
		case "speed":
			c.track.Speed = value
		case "course":
			c.track.Course = value
		default:
			return false
		}
	}
	return true
}
