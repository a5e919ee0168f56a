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
	return checkValue(reflect.ValueOf(r).Elem(), path)
}

func checkValue(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return checkNumber(float64(v.Int()), path)
	case reflect.Float64:
		return checkNumber(v.Float(), path)
	case reflect.Pointer:
		if !v.IsNil() {
			return checkValue(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := checkValue(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			if err := checkValue(value, fmt.Sprintf("%s.%v", path, key)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		switch v.Interface().(type) {
		case matrix.Descriptor, matrix.Link:
			return nil // its size is what a registry said, whatever that is, and is never summed
		case time.Time:
			return nil
		}
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if err := checkValue(v.Field(i), path+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkNumber(n float64, path string) error {
	if n >= 0 && n <= maxNumber {
		return nil
	}
	return fmt.Errorf("%s is %g: no scan writes a number below 0 or above %g", path, n, maxNumber)
}
