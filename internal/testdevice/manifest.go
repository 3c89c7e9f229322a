package testdevice

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// manifestName is looked up in exactly this spelling, upper and lower case.
const manifestName = "MANIFEST/manifest.xml"

type manifest struct {
	uid, name string
	entries   []string
}

func readManifest(files map[string][]byte) (manifest, error) {
	data, ok := files[manifestName]
	if !ok {
		for name := range files {
			if strings.EqualFold(name, manifestName) {
				return manifest{}, fmt.Errorf("the manifest is %q, and ATAK looks for %s", name, manifestName)
			}
		}
		return manifest{}, fmt.Errorf("there is no %s", manifestName)
	}
	if !bytes.Contains(data, []byte("<MissionPackageManifest")) {
		return manifest{}, fmt.Errorf("%s has no MissionPackageManifest", manifestName)
	}
	var form struct {
		XMLName    xml.Name `xml:"MissionPackageManifest"`
		Version    string   `xml:"version,attr"`
		Parameters []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"Configuration>Parameter"`
		Contents []struct {
			Ignore string `xml:"ignore,attr"`
			Entry  string `xml:"zipEntry,attr"`
		} `xml:"Contents>Content"`
	}
	if err := xml.Unmarshal(data, &form); err != nil {
		return manifest{}, fmt.Errorf("%s: %w", manifestName, err)
	}
	if form.Version != "2" {
		return manifest{}, fmt.Errorf("%s is of version %q, and ATAK reads 2", manifestName, form.Version)
	}
	var m manifest
	for _, p := range form.Parameters {
		switch p.Name {
		case "uid":
			m.uid = p.Value
		case "name":
			m.name = p.Value
		}
	}
	if m.uid == "" || m.name == "" {
		return manifest{}, fmt.Errorf("%s needs the parameters uid and name", manifestName)
	}
	for _, c := range form.Contents {
		if c.Ignore != "true" {
			m.entries = append(m.entries, c.Entry)
		}
	}
	return m, nil
}
