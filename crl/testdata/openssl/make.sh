#!/bin/sh
# Makes the lists of this folder anew. OpenSSL 3.0 made those that are here; they are valid until 2124.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/empty"
cat >"$work/ca.cnf" <<EOF
[req]
distinguished_name = name
prompt = no
[name]
O = Valley Rescue
CN = A CA of openssl
[plain]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = none
[first]
database = $work/index
default_md = sha256
[second]
database = $work/index
default_md = sha256
crlnumber = $work/number
[v2]
authorityKeyIdentifier = issuer:always
[indirect]
issuingDistributionPoint = critical, @point
[some]
issuingDistributionPoint = critical, @users
[users]
onlyuser = TRUE
[point]
indirectCRL = TRUE
[delta]
2.5.29.27 = critical, DER:02:01:01
[unknown]
1.2.3.4 = critical, DER:05:00
EOF
openssl req -x509 2>/dev/null -newkey rsa:2048 -nodes -keyout "$work/ca.key" -out ca.pem -days 36500 -config "$work/ca.cnf" -extensions plain
# Status, expiry, revocation and reason, serial, file, subject: what openssl ca -revoke writes.
entry() { printf 'R\t21240101000000Z\t%s\t%s\tunknown\t/CN=%s\n' "$1" "$2" "$3"; }
crl() {
	openssl ca -gencrl -config "$work/ca.cnf" -cert ca.pem -keyfile "$work/ca.key" -crldays 36500 -name "$@"
}
: >"$work/index"
crl first -out v1_empty.pem
{ entry 240304100000Z 1A2B3C4D5E6F bob; entry 240305100000Z 00C7FE carol; } >"$work/index"
crl first -out v1.pem
crl first -md sha1 -out v1_sha1.pem
{ entry 240304100000Z,keyCompromise 1A2B3C4D5E6F bob; entry 240305100000Z,holdInstruction,1.2.840.10040.2.1 00C7FE carol; } >"$work/index"
for kind in v2 indirect some delta unknown; do
	echo 1000 >"$work/number"
	crl second -crlexts $kind -out $kind.pem
done
openssl crl -in v2.pem -outform DER -out v2.der
# TAK Server's scripts and FreeTAKServer publish the authority's certificates and the list in one file.
cat ca.pem v1.pem >bundle.pem
