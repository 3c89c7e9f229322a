package check

// judgePasswordsOfHosts finds connections to one host with different passwords: ATAK keeps the files by host and port, and
// the passwords by host alone.
func (d *device) judgePasswordsOfHosts() {
	for _, stem := range []string{"caPassword", "clientPassword"} {
		seen := map[string]string{}
		for _, c := range d.secrets {
			password := c.trust
			if stem == "clientPassword" {
				password = c.client
			}
			if password == "" {
				continue
			}
			if other, ok := seen[c.host]; ok && other != password {
				d.say(levels{Refusal, "", "", ""}, "password-host", c.where, "connections to %.100q have different "+
					"%ss: ATAK keeps one for each host, whatever the port; give all the same", c.host, stem)
			}
			seen[c.host] = password
		}
	}
}

// hostSecrets are the passwords that the preferences have for a connection.
type hostSecrets struct{ host, trust, client, where string }
