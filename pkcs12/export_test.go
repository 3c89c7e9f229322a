package pkcs12

var FriendlyNames = friendlyNames
