#!/bin/sh
# ssh(1) to this machine itself, without sshd: the command is the last word
for command; do :; done
exec sh -c "$command"
