# may.sh FOLDER: ends with 0 where root may make the namespaces and mounts that boot.sh makes, and else says what it may
# not. Nothing of it is left. Run as root, in a cgroup of its own.
set -eu
if [ "${2-}" != inside ]; then
	exec unshare --kill-child --fork --pid --mount --propagation private --uts --ipc --net --cgroup sh "$0" "$1" inside
fi
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir proc sys dev usr
mount --bind /usr usr
mount -o remount,bind,ro usr
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs dev
mkdir dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mknod dev/null c 1 3
echo >dev/null
