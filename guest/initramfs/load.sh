#!/bin/sh
# load.sh NAME: the modules that /lib/modules/NAME.order lists, if they are not
# there yet.
while read -r module; do
	# Two controllers of one drive are two disks
	[ "$module" = nvme-core ] && option=multipath=0 || option=
	[ -d "/sys/module/$(echo "$module" | tr - _)" ] ||
		insmod "/lib/modules/$module.ko" ${option:+"$option"}
done <"/lib/modules/$1.order"
