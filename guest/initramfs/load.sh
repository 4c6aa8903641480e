#!/bin/sh
# load.sh NAME: the modules that /lib/modules/NAME.order lists, if they are not
# there yet.
while read -r module; do
	[ -d "/sys/module/$(echo "$module" | tr - _)" ] ||
		insmod "/lib/modules/$module.ko"
done <"/lib/modules/$1.order"
