package templates

import (
	"errors"
	"fmt"
)

// ReadManifest is the inverse of [RenderManifest]. Uid and name are empty where the manifest has none, and entries are as
// they are written, except for those to be ignored, which are left out. It refuses more than 1 MiB, a DTD, another
// version than 2 and a parameter that is there twice.
func ReadManifest(data []byte) (Manifest, error) {
	m := Manifest{Kept: true}
	version, known := "", false
	seen := map[string]bool{}
	err := walk(data, func(e element) error {
		switch e.path {
		case "MissionPackageManifest":
			version, known = e.attributes["version"], true
		case "MissionPackageManifest/Configuration/Parameter":
			name := e.attributes["name"]
			if seen[name] {
				return fmt.Errorf("the parameter %.100q is there twice", name)
			}
			seen[name] = true
			switch name {
			case "uid":
				m.UID = e.attributes["value"]
			case "name":
				m.Name = e.attributes["value"]
			case "onReceiveDelete":
				m.Kept = e.attributes["value"] != "true"
			}
		case "MissionPackageManifest/Contents/Content":
			if e.attributes["ignore"] != "true" {
				m.Entries = append(m.Entries, e.attributes["zipEntry"])
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return Manifest{}, err
	case !known:
		return Manifest{}, errors.New("it is no MissionPackageManifest")
	case version != "2":
		return Manifest{}, fmt.Errorf("it is of version %.20q, where only version 2 is known", version)
	}
	return m, nil
}
