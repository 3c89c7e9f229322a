# boot.sh UNIT PROGRAM STORE OUT: starts systemd on a bare root of its own, in namespaces of its own, with UNIT and what
# proof.sh does with it. PROGRAM and STORE are where UNIT expects them; OUT is /out there. Nothing of this machine can be
# written to from within but OUT; /usr is the machine's. Run as root, in a cgroup of its own.
set -eu
here=$(dirname "$0")
unit=$1 program=$2 store=$3 out=$4
if [ "${5-}" != inside ]; then
	exec unshare --kill-child --fork --pid --mount --propagation private --uts --ipc --net --cgroup sh "$0" "$@" inside
fi

root=$out/root
mkdir "$root"
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir -p "$root/etc/systemd/system" "$root/var/lib/ftsca" "$root/root" "$root/home"
cp "$unit" "$here/proof.sh" "$root/etc/systemd/system/"
cp /etc/ld.so.cache "$root/etc/"
cp -a "$store" "$root/var/lib/ftsca/pki"
cd "$root"

# Only what the unit itself needs is there to be started: none of this machine's own services.
cat >etc/passwd <<-END
	root:x:0:0::/root:/bin/sh
	ftsca:x:990:990::/:/usr/sbin/nologin
	nobody:x:65534:65534::/:/usr/sbin/nologin
END
cat >etc/group <<-END
	root:x:0:
	ftsca:x:990:
	nogroup:x:65534:
END
chown -R 990:990 var/lib/ftsca/pki/endpoint
for target in sysinit basic network multi-user shutdown; do
	printf '[Unit]\nDefaultDependencies=no\n' >etc/systemd/system/$target.target
done
cat >etc/systemd/system/proof.service <<-END
	[Unit]
	DefaultDependencies=no
	SuccessAction=exit-force
	FailureAction=exit-force
	[Service]
	Type=oneshot
	ExecStart=/bin/sh /etc/systemd/system/proof.sh
	StandardOutput=file:/out/proof.log
	StandardError=inherit
END
mkdir etc/systemd/system/ftsca.service.d
cat >etc/systemd/system/ftsca.service.d/log.conf <<-END
	[Service]
	StandardError=append:/out/serve.log
END

mkdir usr proc sys dev run tmp old out
for dir in bin sbin lib lib32 lib64; do
	[ ! -L /$dir ] || ln -s usr/$dir $dir
	[ -L /$dir ] || [ ! -d /$dir ] || { mkdir $dir; mount --bind -o ro /$dir $dir; }
done
mount --bind "$out" out
mount --bind /usr usr
mount -o remount,bind,ro usr
mount -t tmpfs tmpfs usr/local/bin
cp "$program" usr/local/bin/ftsca
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for node in null:3 zero:5 full:7 random:8 urandom:9; do
	mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"
done
pivot_root . old
umount -l /old
# systemd mounts credentials in a namespace of its own, from which they come back to this one.
mount --make-rshared /
# What a container's systemd never has, this one shall not either.
exec env -i container=test PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin \
	SYSTEMD_UNIT_PATH=/etc/systemd/system SYSTEMD_GENERATOR_PATH=/nowhere \
	setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio,-sys_boot,-syslog \
	/lib/systemd/systemd --system --unit=proof.service --show-status=no
