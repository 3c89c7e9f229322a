// Package datapackage makes the TAK data packages that a device imports to connect: a zip with the client's identity,
// the trust store, the preferences that say where to connect, and, for clients that read one, a manifest.
//
// Start with [Make], which makes the package for one [Family] of clients, and with [Open] to have back what went into a
// package. [ParseHost] reads the address that devices shall connect to, [FileStem] names files after people.
//
// A package holds a client's key and, unless it is told to ask, the password that opens it, since devices read it so:
// whoever has the zip is the client. It never holds the key of a server or an authority.
//
// # What a unit adds
//
// A folder of the unit's, which [ReadUnit] reads, goes into all its packages. It may have two things:
//
//   - unit.pref: preferences, in the form in which ATAK saves its own, so that one device can be set up and its file be
//     pruned. Its blocks are those of the application (com.atakmap.app_preferences), its entries of the classes
//     java.lang.String, Boolean and Integer. Connections, certificates, passwords, tokens, the callsign and a device's own
//     identity (bestDeviceUID) are refused. Of the team (locationTeam) and the role (atakRoleType) the clients know those
//     that [Teams] and [Roles] list.
//   - files: a folder of further files, such as map sources (.xml), at most 24 with 3 MiB in all. They go along as they
//     are, to ATAK and WinTAK alone. Files that end as packages, preferences, certificates and keys do are refused.
//
// Names that begin with a dot are passed over, anything else is refused, so that a slip of the pen does not go unseen.
// This is a whole unit.pref:
//
//	<preferences>
//	<preference version="1" name="com.atakmap.app_preferences">
//	<entry key="locationTeam" class="class java.lang.String">Dark Blue</entry>
//	<entry key="atakRoleType" class="class java.lang.String">Team Member</entry>
//	<entry key="locationReportingStrategy" class="class java.lang.String">Dynamic</entry>
//	</preference>
//	</preferences>
package datapackage
