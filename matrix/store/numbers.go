package store

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"refmatrix/matrix"
)

// maxNumber bounds the counts, bytes and milliseconds of a row. A scan writes none
// above it: the longest time.Duration is less in milliseconds. Reports sum them, and
// sums of larger ones overflow.
const maxNumber = 1e13

// checkNumbers returns an error that names the first number of the row at path that no
// scan writes: a negative one, or one over maxNumber.
func checkNumbers(r *matrix.Row, path string) error {
	if bad := checkValue(reflect.ValueOf(r).Elem()); bad != nil {
		return fmt.Errorf("%s%s is %g: no scan writes a number below 0 or above %g", path, bad.path, bad.n, maxNumber)
	}
	return nil
}

// badNumber is a number that no scan writes. Its path is made on the way back, because
// nearly all numbers are good ones.
type badNumber struct {
	path string
	n    float64
}

// in returns b with the path of what it was found in before its own.
func (b *badNumber) in(path string) *badNumber { return &badNumber{path + b.path, b.n} }

// unchecked are the types whose numbers may be any: a descriptor's size is what a registry
// said, and is never summed.
var unchecked = map[reflect.Type]bool{
	reflect.TypeFor[matrix.Descriptor](): true,
	reflect.TypeFor[matrix.Link]():       true,
	reflect.TypeFor[time.Time]():         true,
}

// checkValue returns the first bad number in v, nil if every number is valid.
func checkValue(v reflect.Value) *badNumber {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return checkNumber(float64(v.Int()))
	case reflect.Float64:
		return checkNumber(v.Float())
	case reflect.Pointer:
		if !v.IsNil() {
			return checkValue(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if bad := checkValue(v.Index(i)); bad != nil {
				return bad.in(fmt.Sprintf("[%d]", i))
			}
		}
	case reflect.Map:
		for entry := v.MapRange(); entry.Next(); {
			if bad := checkValue(entry.Value()); bad != nil {
				return bad.in(fmt.Sprintf(".%v", entry.Key()))
			}
		}
	case reflect.Struct:
		return checkFields(v)
	}
	return nil
}

// checkFields returns the first bad number in a struct, nil if every number is valid.
func checkFields(v reflect.Value) *badNumber {
	if unchecked[v.Type()] {
		return nil
	}
	for i := range v.NumField() {
		if bad := checkValue(v.Field(i)); bad != nil {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			return bad.in("." + name)
		}
	}
	return nil
}

func checkNumber(n float64) *badNumber {
	if n >= 0 && n <= maxNumber {
		return nil
	}
	return &badNumber{n: n}
}
