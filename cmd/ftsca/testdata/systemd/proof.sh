# What is done with the unit once systemd runs; each line that it prints is looked for by the test.
pid() { systemctl show -P MainPID ftsca; }
# until_active waits until the unit is active after so many restarts.
until_active() {
	for i in $(seq 300); do
		[ "$(systemctl show -P NRestarts ftsca)" = "$1" ] && systemctl is-active --quiet ftsca && return
		sleep 0.1
	done
}
export FTSCA_STORE=/var/lib/ftsca/pki

systemctl start ftsca || systemctl status ftsca --no-pager
first=$(pid)
echo "started: $(systemctl is-active ftsca), $(systemctl show -P StatusText ftsca)"
echo "asked: $(ftsca status | grep '^ready')"
echo "account: $(stat -c %U /proc/$first)"
grep -E '^(NoNewPrivs|Seccomp|CapEff|CapBnd):' /proc/$first/status
echo "authority: $(ls -A /proc/$first/root/var/lib/ftsca/pki/authority | wc -l) files"
echo "packages: $(ls -A /proc/$first/root/var/lib/ftsca/pki/clientPackages | wc -l) files"

systemctl reload ftsca
echo "reload: $?"
until grep -q msg=reloaded /out/serve.log; do sleep 0.1; done
until_active 0
[ "$(pid)" = "$first" ] && echo "reloaded: the same process"

kill -KILL "$first"
until_active 1
echo "killed: $(systemctl is-active ftsca), $(systemctl show -P NRestarts ftsca) restart"

systemctl stop ftsca
echo "stopped: $(systemctl is-active ftsca), $(systemctl show -P Result ftsca)"

# A sealed key, as docs/systemd.md has it.
mkdir /etc/ftsca
echo 'tall pines over the valley' >/etc/ftsca/server-key.pass
chmod 600 /etc/ftsca/server-key.pass
ftsca issue server localhost --new-generation --key ecdsa-p256 --server-key-passphrase-file /etc/ftsca/server-key.pass
cat >/etc/systemd/system/ftsca.service.d/key.conf <<END
[Service]
LoadCredential=server-key:/etc/ftsca/server-key.pass
ExecStart=
ExecStart=/usr/local/bin/ftsca serve --server-key-passphrase-file \${CREDENTIALS_DIRECTORY}/server-key
END
systemctl daemon-reload
systemctl start ftsca
echo "sealed: $(systemctl is-active ftsca), $(stat -c %U "$FTSCA_STORE/endpoint/server.key"), $(head -n 1 "$FTSCA_STORE/endpoint/server.key")"
systemctl stop ftsca
