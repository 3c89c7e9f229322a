package pkcs12

import (
	"crypto/hmac"
	"encoding/asn1"
	"errors"
	"fmt"
)

// The library gives a key no friendly name. Without one Java lists it as "1", NSS makes a name up, and who converts a
// file loses the name that people know it by.

type pfxPDU struct {
	Version int
	Safe    contentInfo
	MAC     macData
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit"`
}

type macData struct {
	Digest struct {
		Algorithm asn1.RawValue
		Digest    []byte
	}
	Salt   []byte
	Rounds int `asn1:"optional,default:1"`
}

type safeBag struct {
	Kind       asn1.ObjectIdentifier
	Value      asn1.RawValue `asn1:"tag:0,explicit"`
	Attributes []attribute   `asn1:"set,optional"`
}

type attribute struct {
	Kind   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

var errLabel = errors.New("what the library wrote has another form than it had")

// label gives the sealed key of a file, which the library wrote just now, a friendly name. The key stands in a part that
// is not encrypted itself, so besides that part only the MAC changes.
func label(data []byte, name, text string) ([]byte, error) {
	r := &reader{limits: limits{one: maxIterations, all: 3 * maxIterations}}
	f, err := r.parse(data)
	if err != nil {
		return nil, err
	}
	p, err := newPassword(text)
	if err != nil {
		return nil, err
	}
	var pdu pfxPDU
	var content []byte
	var parts []contentInfo
	if err := unmarshal(data, &pdu); err != nil {
		return nil, err
	}
	if err := unmarshal(pdu.Safe.Content.Bytes, &content); err != nil {
		return nil, err
	}
	if err := unmarshal(content, &parts); err != nil {
		return nil, err
	}
	for i := range parts {
		if parts[i].Type.String() != oidData {
			continue
		}
		if err := parts[i].label(name); err != nil {
			return nil, err
		}
	}
	if content, err = asn1.Marshal(parts); err != nil {
		return nil, fmt.Errorf("writing the parts: %w", err)
	}
	key, err := f.mac.kdf.derive(p, forMAC, f.mac.keySize)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of the MAC: %w", err)
	}
	h := hmac.New(f.mac.hash.make, key)
	h.Write(content)
	pdu.MAC.Digest.Digest = h.Sum(nil)
	if pdu.Safe.Content, err = octets(content); err != nil {
		return nil, err
	}
	return asn1.Marshal(pdu)
}

// label names the sealed keys among the bags of a part in clear.
func (c *contentInfo) label(name string) error {
	var content []byte
	var bags []safeBag
	if err := unmarshal(c.Content.Bytes, &content); err != nil {
		return err
	}
	if err := unmarshal(content, &bags); err != nil {
		return err
	}
	for i := range bags {
		bags[i].Attributes = append(bags[i].Attributes, attribute{
			Kind:   asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20},
			Values: []asn1.RawValue{{Tag: asn1.TagBMPString, Bytes: toBMP(name)}},
		})
	}
	content, err := asn1.Marshal(bags)
	if err != nil {
		return fmt.Errorf("writing the key's name: %w", err)
	}
	c.Content, err = octets(content)
	return err
}

// octets is an OCTET STRING as the content of a ContentInfo.
func octets(b []byte) (asn1.RawValue, error) {
	der, err := asn1.Marshal(b)
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}, err
}

func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err != nil || len(rest) > 0 {
		return errLabel
	}
	return nil
}
