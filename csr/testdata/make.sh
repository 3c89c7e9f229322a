#!/bin/sh
# Makes the requests of this folder anew. OpenSSL 3.0 and OpenJDK 17 made those that are here.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# config FILE MASK SUBJECT-LINES [EXTENSION-LINES]: a configuration without what the system's own would add.
config() {
	printf '[req]\nprompt = no\nstring_mask = %s\nutf8 = yes\ndistinguished_name = name\n' "$2" >"$work/$1"
	[ $# -lt 4 ] || printf 'req_extensions = asked\n' >>"$work/$1"
	printf '[name]\n%b\n' "$3" >>"$work/$1"
	[ $# -lt 4 ] || printf '[asked]\n%b\n' "$4" >>"$work/$1"
}
request() { openssl req -new -nodes "$@" -keyout "$work/key" 2>/dev/null; }
rsa() { request -newkey rsa:2048 "$@"; }
ec() { request -newkey ec -pkeyopt ec_paramgen_curve:P-256 "$@"; }

# ATAK 4.6: RSA, SHA-1, in PEM. ATAK 5.5: RSA, SHA-256, base64 alone, here in one line as it is sent.
config atak default 'O = Valley Rescue\nOU = Alpine\nCN = alice'
rsa -config "$work/atak" -sha1 -out atak_4.6.pem
rsa -config "$work/atak" -sha256 -outform DER | base64 -w 0 >atak_5.5.txt

# Windows: the banners of old, BMPString where a name is not ASCII, attributes of its own.
cat >"$work/windows" <<EOF
[req]
prompt = no
string_mask = MASK:0x0800
utf8 = yes
distinguished_name = name
req_extensions = asked
attributes = attributes
[name]
CN = Zoë Łukasz
[asked]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
1.3.6.1.4.1.311.20.2 = DER:1e:08:00:55:00:73:00:65:00:72
[attributes]
1.3.6.1.4.1.311.13.2.3 = 10.0.19045.2
EOF
rsa -config "$work/windows" -out "$work/new"
sed 's/CERTIFICATE REQUEST/NEW &/; s/$/\r/' "$work/new" >windows.pem

# TeletexString, as OpenSSL wrote by default until 2008.
config teletex 'MASK:0x4' 'CN = Zoë Müller'
ec -config "$work/teletex" -out teletex.pem

# It wants to be an authority, and more.
config greedy utf8only 'CN = eve\nserialNumber = 7\nemailAddress = eve@example.org\n1.OU = group:blue\n2.OU = Alpine\n3.OU = Nordic' \
	'basicConstraints = critical, CA:TRUE, pathlen:3\nkeyUsage = critical, keyCertSign, cRLSign\nextendedKeyUsage = serverAuth, 1.2.3.4\nsubjectAltName = DNS:eve.example.org, IP:10.0.0.9, email:eve@example.org, URI:https://example.org/x, otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@corp\nnameConstraints = permitted;DNS:example.org\n1.2.3.4.5 = critical, DER:05:00'
printf 'attributes = attributes\n' >"$work/attributes"
sed -i '/^utf8/r '"$work/attributes" "$work/greedy"
printf '[attributes]\nchallengePassword = secret\nunstructuredName = x\n' >>"$work/greedy"
ec -config "$work/greedy" -out greedy.pem

# Several in one file, with other things between, and the last with a broken signature in damaged.pem.
config first utf8only 'CN = first'
config second utf8only 'CN = second'
{
	echo 'Requests of the spring course'
	ec -config "$work/first" -text
	openssl ecparam -name prime256v1
	rsa -config "$work/second"
} >several.pem
ec -config "$work/first" -outform DER -out "$work/der"
size=$(wc -c <"$work/der")
{ head -c $((size - 1)) "$work/der"; tail -c 1 "$work/der" | tr '\000-\377' '\001-\377\000'; } >"$work/broken"
openssl base64 -in "$work/broken" | { echo '-----BEGIN CERTIFICATE REQUEST-----'; cat; echo '-----END CERTIFICATE REQUEST-----'; } >damaged.pem
rsa -config "$work/first" -md5 -out md5.pem

# What keytool asks for.
keytool -genkeypair -keystore "$work/store" -storepass changeit -alias a -keyalg EC -groupname secp384r1 \
	-dname 'CN=Robert, OU=Alpine, O=Valley Rescue, C=CA' 2>/dev/null
keytool -certreq -keystore "$work/store" -storepass changeit -alias a -ext san=dns:robert.example.org,ip:10.0.0.7 \
	-ext ku=digitalSignature -file keytool.pem 2>/dev/null
