#!/bin/sh
# Creates the user of the service, who alone can read the configuration. The service is not started: it needs a configuration.
set -e
if ! getent passwd tvmexport >/dev/null; then
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers /usr/lib/sysusers.d/tvmexport.conf
	else
		useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tvmexport
	fi
fi
chgrp tvmexport /etc/tvmexport /etc/tvmexport/tvmexport.yaml
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart tvmexport.service || true
fi
