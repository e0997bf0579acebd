package decode

// The store functions are what store does for each kind of column.

func (d *decoder) storeNull(c *column, i int) int {
	end := d.word(i, "null")
	switch {
	case end < 0 || c.notNull || !c.begin(d.out.Count):
		return -1
	case c.eventTime:
		c.addInt(d.arrival)
	default:
		c.addNull()
	}
	return end
}

func startsNumber(c byte) bool { return c == '-' || isDigit(c) }

func (d *decoder) storeInteger(c *column, i int, first byte) int {
	if v, end := FastInteger(d.text, i); end >= 0 && c.begin(d.out.Count) {
		c.addInt(v)
		return end
	}
	if !startsNumber(first) {
		return -1
	}
	end := d.number(i)
	if end < 0 || d.num.class != whole || !c.begin(d.out.Count) {
		return -1
	}
	c.addInt(d.num.integer)
	return end
}

func (d *decoder) storeDouble(c *column, i int, first byte) int {
	if v, end := FastDouble(d.text, i); end >= 0 && c.begin(d.out.Count) {
		c.addFloat(v)
		return end
	}
	if !startsNumber(first) {
		return d.storeNotFinite(c, i, first)
	}
	end := d.number(i)
	if end < 0 {
		return -1
	}
	v, ok := d.num.double()
	if !ok || !c.begin(d.out.Count) {
		return -1
	}
	c.addFloat(v)
	return end
}

// storeNotFinite takes NaN and the infinities as event.AppendDouble writes them.
func (d *decoder) storeNotFinite(c *column, i int, first byte) int {
	if first != '"' {
		return -1
	}
	v, end := d.notFinite(i)
	if end < 0 || !c.begin(d.out.Count) {
		return -1
	}
	c.addFloat(v)
	return end
}

func (d *decoder) storeBoolean(c *column, i int, first byte) int {
	word := "false"
	if first == 't' {
		word = "true"
	}
	end := d.word(i, word)
	if end < 0 || !c.begin(d.out.Count) {
		return -1
	}
	c.addBool(first == 't')
	return end
}

func (d *decoder) storeText(c *column, i int, first byte) int {
	if first != '"' || !c.begin(d.out.Count) {
		return -1
	}
	end, escaped := d.string(i)
	if end < 0 {
		return -1
	}
	inside := d.text[i+1 : end-1]
	c.room(len(inside))
	if escaped {
		c.data = appendUnescaped(c.data, inside)
	} else {
		c.data = append(c.data, inside...)
	}
	c.addText()
	return end
}

func (d *decoder) storeJSON(c *column, i int) int {
	d.spaced = false
	end := d.value(i, 1)
	if end < 0 || !c.begin(d.out.Count) {
		return -1
	}
	value := d.text[i:end]
	c.room(len(value))
	if d.spaced {
		c.data = appendCompact(c.data, value)
	} else {
		c.data = append(c.data, value...)
	}
	c.addText()
	return end
}

func (d *decoder) storeTime(c *column, i int) int {
	if micros, end := d.clock.read(d.text, i, !c.anySpelling); end >= 0 && c.begin(d.out.Count) {
		c.addInt(micros)
		return end
	}
	micros, end := d.readTime(i, c.eventTime, c.anySpelling)
	if end < 0 || !c.begin(d.out.Count) {
		return -1
	}
	c.addInt(micros)
	return end
}
