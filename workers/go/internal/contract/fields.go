package contract

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// fill sets the fields of message from an object. Names that it does not have are ignored,
// and null is the same as absent.
func fill(message protoreflect.Message, from value) *Error {
	return fillOnly(message, from, func(string) bool { return true })
}

// fillOnly is fill for some of the names.
func fillOnly(message protoreflect.Message, from value, wanted func(name string) bool) *Error {
	if from.kind != object {
		return wrongType("an object", from)
	}
	fields := message.Descriptor().Fields()
	for _, member := range from.members {
		field := fields.ByJSONName(member.name)
		if field == nil || member.value.kind == null || !wanted(member.name) {
			continue
		}
		if err := set(message, field, member.value); err != nil {
			return err.inside(member.name)
		}
	}
	return nil
}

func set(message protoreflect.Message, field protoreflect.FieldDescriptor, from value) *Error {
	if field.IsList() {
		if from.kind != list {
			return wrongType("a list", from)
		}
		items := message.NewField(field).List()
		for index, item := range from.items {
			read, err := scalar(field, item)
			if err != nil {
				return err.inside(fmt.Sprintf("[%d]", index))
			}
			items.Append(read)
		}
		message.Set(field, protoreflect.ValueOfList(items))
		return nil
	}
	if field.Kind() == protoreflect.MessageKind {
		inner := message.NewField(field)
		if err := fill(inner.Message(), from); err != nil {
			return err
		}
		message.Set(field, inner)
		return nil
	}
	read, err := scalar(field, from)
	if err == nil {
		message.Set(field, read)
	}
	return err
}

// scalar reads one value that is no message. What a worker reads has no lists of messages.
func scalar(field protoreflect.FieldDescriptor, from value) (protoreflect.Value, *Error) {
	switch field.Kind() {
	case protoreflect.StringKind:
		read, err := readText(from)
		return protoreflect.ValueOfString(read), err
	case protoreflect.BytesKind:
		read, err := readBytes(from)
		return protoreflect.ValueOfBytes(read), err
	case protoreflect.DoubleKind:
		read, err := readDouble(from)
		return protoreflect.ValueOfFloat64(read), err
	case protoreflect.Uint32Kind:
		read, err := readInteger(from, 0, math.MaxUint32)
		return protoreflect.ValueOfUint32(uint32(read)), err
	case protoreflect.Int32Kind:
		read, err := readInteger(from, math.MinInt32, math.MaxInt32)
		return protoreflect.ValueOfInt32(int32(read)), err
	case protoreflect.BoolKind:
		if from.kind != boolean {
			return protoreflect.Value{}, wrongType("true or false", from)
		}
		return protoreflect.ValueOfBool(from.text == "true"), nil
	default:
		return protoreflect.Value{}, wrongType("a field of a known kind", from)
	}
}
