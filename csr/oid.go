package csr

import "encoding/asn1"

// The object identifiers that mean something here.
const (
	commonName          = "2.5.4.3"
	countryName         = "2.5.4.6"
	localityName        = "2.5.4.7"
	stateOrProvinceName = "2.5.4.8"
	organization        = "2.5.4.10"
	organizationalUnit  = "2.5.4.11"

	extensionRequest          = "1.2.840.113549.1.9.14"
	microsoftExtensionRequest = "1.3.6.1.4.1.311.2.1.14"

	keyUsage         = "2.5.29.15"
	subjectAltName   = "2.5.29.17"
	basicConstraints = "2.5.29.19"
	extKeyUsage      = "2.5.29.37"
	netscapeCertType = "2.16.840.1.113730.1.1"
)

// keyUsages are the bits of RFC 5280, 4.2.1.3, netscapeTypes those of Netscape's certificate extensions.
var (
	keyUsages = []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
		"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"}
	netscapeTypes = []string{"SSL client", "SSL server", "S/MIME", "object signing", "reserved", "SSL CA", "S/MIME CA",
		"object signing CA"}
)

// nameOf is what people call an object identifier, or its numbers.
func nameOf(id asn1.ObjectIdentifier) string {
	if name := known[id.String()]; name != "" {
		return name
	}
	return id.String()
}

var known = map[string]string{
	// In subjects: RFC 4519, RFC 5280 and PKCS #9.
	"2.5.4.4":                    "surname",
	"2.5.4.5":                    "serialNumber",
	"2.5.4.9":                    "street",
	"2.5.4.12":                   "title",
	"2.5.4.13":                   "description",
	"2.5.4.15":                   "businessCategory",
	"2.5.4.16":                   "postalAddress",
	"2.5.4.17":                   "postalCode",
	"2.5.4.20":                   "telephoneNumber",
	"2.5.4.41":                   "name",
	"2.5.4.42":                   "givenName",
	"2.5.4.43":                   "initials",
	"2.5.4.44":                   "generationQualifier",
	"2.5.4.46":                   "dnQualifier",
	"2.5.4.65":                   "pseudonym",
	"2.5.4.97":                   "organizationIdentifier",
	"0.9.2342.19200300.100.1.1":  "UID",
	"0.9.2342.19200300.100.1.25": "domainComponent",
	"1.2.840.113549.1.9.1":       "emailAddress",

	// Attributes: PKCS #9 and Microsoft's.
	"1.2.840.113549.1.9.2":   "unstructuredName",
	"1.2.840.113549.1.9.7":   "challengePassword",
	"1.2.840.113549.1.9.8":   "unstructuredAddress",
	"1.3.6.1.4.1.311.13.2.1": "enrollmentNameValuePair",
	"1.3.6.1.4.1.311.13.2.2": "enrollmentCSP",
	"1.3.6.1.4.1.311.13.2.3": "osVersion",
	"1.3.6.1.4.1.311.21.20":  "requestClientInfo",

	// Extensions: RFC 5280, RFC 6960, RFC 7633 and Microsoft's.
	"2.5.29.9":               "subjectDirectoryAttributes",
	"2.5.29.14":              "subjectKeyIdentifier",
	keyUsage:                 "keyUsage",
	"2.5.29.16":              "privateKeyUsagePeriod",
	subjectAltName:           "subjectAltName",
	"2.5.29.18":              "issuerAltName",
	basicConstraints:         "basicConstraints",
	"2.5.29.30":              "nameConstraints",
	"2.5.29.31":              "cRLDistributionPoints",
	"2.5.29.32":              "certificatePolicies",
	"2.5.29.33":              "policyMappings",
	"2.5.29.35":              "authorityKeyIdentifier",
	"2.5.29.36":              "policyConstraints",
	extKeyUsage:              "extKeyUsage",
	"2.5.29.46":              "freshestCRL",
	"2.5.29.54":              "inhibitAnyPolicy",
	"1.3.6.1.5.5.7.1.1":      "authorityInfoAccess",
	"1.3.6.1.5.5.7.1.24":     "tlsFeature",
	"1.3.6.1.5.5.7.48.1.5":   "ocspNoCheck",
	netscapeCertType:         "netscapeCertType",
	"2.16.840.1.113730.1.13": "netscapeComment",
	"1.3.6.1.4.1.311.20.2":   "certificateTemplateName",
	"1.3.6.1.4.1.311.21.7":   "certificateTemplate",
	"1.3.6.1.4.1.311.21.10":  "applicationPolicies",
	"1.2.840.113549.1.9.15":  "sMIMECapabilities",

	// Extended key usages.
	"2.5.29.37.0":            "anyExtendedKeyUsage",
	"1.3.6.1.5.5.7.3.1":      "serverAuth",
	"1.3.6.1.5.5.7.3.2":      "clientAuth",
	"1.3.6.1.5.5.7.3.3":      "codeSigning",
	"1.3.6.1.5.5.7.3.4":      "emailProtection",
	"1.3.6.1.5.5.7.3.8":      "timeStamping",
	"1.3.6.1.5.5.7.3.9":      "OCSPSigning",
	"1.3.6.1.4.1.311.20.2.2": "smartcardLogon",

	// Alternative names of other kinds.
	"1.3.6.1.4.1.311.20.2.3": "userPrincipalName",
	"1.3.6.1.5.2.2":          "kerberosPrincipalName",
	"1.3.6.1.5.5.7.8.5":      "xmppAddr",

	// Signatures that prove nothing, or that nobody needs.
	"1.2.840.113549.1.1.2":   "md2WithRSAEncryption",
	"1.2.840.113549.1.1.3":   "md4WithRSAEncryption",
	"1.2.840.113549.1.1.4":   "md5WithRSAEncryption",
	"1.2.840.113549.1.1.10":  "RSASSA-PSS with unusual parameters",
	"1.2.840.113549.1.1.14":  "sha224WithRSAEncryption",
	"1.2.840.10045.4.3.1":    "ecdsa-with-SHA224",
	"1.2.840.10040.4.3":      "dsa-with-sha1",
	"2.16.840.1.101.3.4.3.2": "dsa-with-sha256",
	"1.3.101.112":            "Ed25519",
}
