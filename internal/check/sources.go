package check

// sourceOf tells where a rule was learnt: a file of the client's source, the threads of projects whose users met the fault,
// or an experiment. Rules that any reader of the format shares have none.
func sourceOf(rule string) string {
	const (
		builder   = "ATAK 4.6 and 5.5, MissionPackageExtractorFactory.java"
		sort      = "ATAK 4.6 ImportPrefSort.java"
		control   = "ATAK 4.6 and 5.5, PreferenceControl.java"
		imports   = "ATAK 4.6 ImportCertSort.java, 5.5 ImportCertResolver.java"
		service   = "ATAK CotService.java"
		database  = "ATAK AtakCertificateDatabase.java"
		sanitiser = "ATAK 4.6 FileSystemUtils.java"
		core      = "ATAK network core, streamingsocketmanagement.cpp and internalutils.cpp"
	)
	switch rule {
	case "manifest", "manifest-none", "manifest-recognised", "manifest-version", "manifest-parameters",
		"manifest-missing", "manifest-unlisted":
		return builder
	case "manifest-case":
		return builder + "; kdudkov/goatak cert/make_user_cert_dp.sh"
	case "manifest-place":
		return builder + "; FreeTAKServer's mobile packages"
	case "manifest-base":
		return "ATAK 5.5 MissionPackageManifest.java"
	case "manifest-backslash":
		return "Cloud-RF/tak-server#26, #41, #66"
	case "zip-nested", "zip-folders":
		return "tkuester/taky#66; flighttactics/TAKAware#74"
	case "zip-path":
		return "ATAK FileSystemUtils.java"
	case "pref-recognised":
		return sort
	case "entry-class", "entry-text", "entry-blank", "key-block", "count-missing", "count-wrong", "count-low",
		"count-high":
		return control
	case "connect-parts", "connect-ipv6", "connect-protocol", "connect-port":
		return service
	case "enabled":
		return "FreeTAKServer's and taky's packages"
	case "no-connection":
		return imports
	case "key-unindexed":
		return imports + "; brian7704/OpenTAKServer#360; joshuafuller/qrtak#238"
	case "key-both":
		return imports
	case "key-indexed":
		return "SwiftTAK PreferencesParser.swift; flighttactics/TAKAware#97"
	case "path-absolute":
		return database + "; brian7704/OpenTAKServer#360; tkuester/taky#66"
	case "path-folder":
		return database + "; brian7704/OpenTAKServer#41; brian7704/OpenTAKServer-UI#3"
	case "path-slash":
		return database + "; FreeTAKTeam/FreeTakServer#722"
	case "path-backslash":
		return database
	case "file-missing":
		return imports + "; SwiftTAK DataPackagerParser.swift"
	case "p12-ending", "file-case":
		return "ATAK ImportInternalSDResolver.java"
	case "name-characters":
		return sanitiser
	case "name-generic":
		return "tkuester/taky#39; FreeTAKServer User-Docs, troubleshooting_faq.md"
	case "name-twice":
		return "ATAK ImportInternalSDResolver.java; tkuester/taky#39"
	case "password-missing":
		return service + " of 5.5"
	case "password-host":
		return database
	case "p12-rc2":
		return "ATAK 5.5 cryptoutil.cpp; by experiment with ATAK's core on OpenSSL 3"
	case "p12-aes":
		return "ATAK 5.5 cryptoutil.cpp; meshtastic/Meshtastic-Android#6567; openssl/openssl#19495, #19871"
	case "p12-mac":
		return "deptofdefense/AndroidTacticalAssaultKit-CIV#224"
	case "p12-pbmac1":
		return "by experiment with OpenSSL 3.0 and Java 17"
	case "trust-none", "identity-none":
		return imports
	case "trust-key":
		return "FreeTAKTeam/FreeTakServer#683; taky 0.8.4 CHANGELOG"
	case "trust-empty", "trust-incomplete", "trust-store":
		return core + "; tkuester/taky#4"
	case "trust-issuer":
		return core
	case "trust-leaf":
		return "tkuester/taky util/anc.py"
	case "trust-version":
		return "FreeTAKServer User-Docs, administration/SSL.md"
	case "trust-name", "trust-name-twice":
		return "Android KeyStore; kdudkov/goatak#18"
	case "trust-java":
		return "by experiment with Java 17"
	case "trust-expired", "identity-expired", "trust-expires", "identity-expires":
		return "FreeTAKTeam/FreeTakServer#447, #714; brian7704/OpenTAKServer#277"
	case "trust-clock", "trust-not-yet", "identity-clock", "identity-not-yet":
		return core
	case "identity-usage", "identity-key-usage":
		return "OpenSSL and Go, which servers use"
	case "key-ec", "key-kind":
		return "by experiment with ATAK's core; home-assistant/iOS#5134; owntracks/ios#639"
	case "enrollment":
		return "ATAK CertificateEnrollmentClient.java; goatak cert/make_connect_dp.sh"
	}
	return ""
}
