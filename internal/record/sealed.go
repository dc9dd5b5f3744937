package record

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/sealed"
)

// unseal makes the view show what the record's program has masked in it, if this
// is that program.
func (v *View) unseal() {
	v.isSealed, v.isLost = false, false
	number, ok := v.value(slotOf(ownSealed))
	if !ok || number.Type() != pcommon.ValueTypeInt {
		return
	}
	v.isSealed = true
	values, ok := sealed.Shared().Open(number.Int())
	if !ok {
		v.isLost = true
		return
	}
	v.sealed = values
	fill(v.recSlots, v.recStamp, values)
}

// secret is the value of an attribute of the record that was masked.
func (v *View) secret(name string) (pcommon.Value, bool) {
	if !v.isSealed || v.isLost {
		return pcommon.Value{}, false
	}
	return v.sealed.Get(name)
}

// Secrets is the number of values that were masked in the record and are shown.
func (v *View) Secrets() int {
	if !v.isSealed || v.isLost {
		return 0
	}
	return v.sealed.Len()
}

// Lost reports whether values of the record were masked and are not known any
// more: it came too late, or from another program.
func (v *View) Lost() bool { return v.isLost }

// Unmark takes the mark of sealed values out of rec, a copy of the view's record
// or something made from it, so that it can leave.
func (v *View) Unmark(rec plog.LogRecord) {
	if v.isSealed {
		rec.Attributes().Remove(schema.Sealed)
	}
}

// Reveal puts the masked values back into rec, as far as it has such attributes.
func (v *View) Reveal(rec plog.LogRecord) {
	if !v.isSealed || v.isLost {
		return
	}
	attrs := rec.Attributes()
	for name, value := range v.sealed.All() {
		if to, ok := attrs.Get(name); ok {
			value.CopyTo(to)
		}
	}
}
