/** Files of the host, each call as whole as the same one of a local host. */
export const FILES = String.raw`
sub temporary { my ($p, $more) = @_; my ($base) = $p =~ m{([^/]*)\z}; my $d = parent($p); ($d eq "/" ? "" : $d) . "/." . $base . ($more || "") . ".tmp" }
sub make_parents { my ($p, $mode) = @_;
  my $d = parent($p);
  return if -d $d;
  make_parents($d, $mode) if $d ne "/";
  return if mkdir $d, $mode;
  return if $!{EEXIST} && -d $d;
  $! = Errno::ENOTDIR() if $!{EEXIST};
  bad();
}
sub synced { my ($f) = @_; require IO::Handle; $f->sync }
sub flush_directory { my ($p) = @_;
  sysopen my $d, parent($p), O_RDONLY or bad();
  # not every file system can
  synced($d) or $!{EINVAL} or $!{EBADF} or bad();
}
sub remove { my ($p) = @_; unlink $p or $!{ENOENT} or bad() }

$OP{write} = sub { my ($id, $path, $mode, $uid, $gid) = @_;
  my $tmp = temporary($path);
  make_parents($path, 0700);
  remove($tmp);
  sysopen my $f, $tmp, O_WRONLY | O_CREAT | O_EXCL, 0600 or bad();
  my $t = $T{$id} = { file => $f, temporary => $tmp, out => [] };
  $t->{place} = sub {
    synced($f) or bad();
    if (length $mode) {
      my @own = stat $f;
      my ($u, $g) = (length $uid ? $uid : $own[4], length $gid ? $gid : $own[5]);
      if ($u != $own[4] || $g != $own[5]) { chown $u, $g, $f or bad() }
      chmod $mode, $f or bad();
    }
    rename $tmp, $path or bad();
    delete $t->{temporary};
    close $f;
    flush_directory($path);
  };
};
$OP{append} = sub { my ($id, $path, $offset) = @_;
  make_parents($path, 0700);
  sysopen my $f, $path, O_WRONLY | O_CREAT, 0600 or bad();
  die ["EUNKNOWN", "it has fewer bytes"] if -s $f < $offset;
  truncate $f, $offset or bad();
  sysseek $f, $offset, 0 or bad();
  my $t = $T{$id} = { file => $f, out => [] };
  $t->{place} = sub { synced($f) or bad(); close $f };
};
$OP{create} = sub { my ($id, $path, $unique, $text) = @_;
  my $tmp = temporary($path, $unique);
  make_parents($path, 0700);
  sysopen my $f, $tmp, O_WRONLY | O_CREAT | O_EXCL, 0600 or bad();
  my $made = eval { write_all($f, $text); synced($f) or bad(); link $tmp, $path or bad(); 1 };
  my $e = $@;
  unlink $tmp;
  return done($id, "") if !$made && ref $e && $e->[0] eq "EEXIST";
  die $e if !$made;
  flush_directory($path);
  done($id, 1);
};
$OP{appendline} = sub { my ($id, $path, $max, $line) = @_;
  make_parents($path, 0700);
  my $open = sub { sysopen my $f, $path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0600 or bad(); $f };
  my $f = $open->();
  my $size = (stat $f)[7];
  if ($size && $size + length($line) + 1 > $max) {
    rename $path, "$path.1" or bad();
    $f = $open->();
    $size = 0;
  }
  my $last = "\n";
  if ($size) { sysseek $f, -1, 2 or bad(); defined sysread $f, $last, 1 or bad() }
  write_all($f, ($last eq "\n" ? "" : "\n") . "$line\n");
  synced($f) or bad();
  flush_directory($path) if !$size;
  done($id);
};
$OP{link} = sub { my ($id, $path, $target) = @_;
  my $tmp = temporary($path);
  make_parents($path, 0755);
  remove($tmp);
  symlink $target, $tmp or bad();
  rename $tmp, $path or bad();
  flush_directory($path);
  done($id);
};
$OP{remove} = sub { my ($id, $path) = @_;
  for (temporary($path), $path) { unlink $_ or absent() or bad() }
  done($id);
};
$OP{mkdir} = sub { my ($id, $path, $mode, $uid, $gid) = @_;
  return done($id) if -d $path;
  if (-e _) { $! = Errno::ENOTDIR(); bad() }
  make_parents($path, 0700);
  if ($mode == 0700 && !length $uid && !length $gid) { mkdir $path, $mode or -d $path or bad(); return done($id) }
  my $tmp = temporary($path);
  rmdir $tmp or absent() or bad();
  mkdir $tmp, 0700 or bad();
  chown length $uid ? $uid : -1, length $gid ? $gid : -1, $tmp or bad();
  chmod $mode, $tmp or bad();
  rename $tmp, $path or bad();
  flush_directory($path);
  done($id);
};
$OP{move} = sub { my ($id, $from, $to) = @_;
  if (!lstat $from) {
    bad() unless absent();
    # killed between its two halves
    if (lstat $to and -d _) { symlink $to, $from or bad() }
    return done($id, 1);
  }
  return done($id, 1) if -l _;
  if (lstat $to) {
    return done($id, "") unless -l _ and (readlink $to) eq $from;
    unlink $to or bad();
  }
  make_parents($to, 0700);
  rename $from, $to or bad();
  symlink $to, $from or bad();
  done($id, 1);
};

# a directory is entered through its open file, so that nobody can put a link in the way
sub open_directory { my ($p, $follow) = @_;
  sysopen my $d, $p, O_RDONLY | O_DIRECTORY | ($follow ? 0 : O_NOFOLLOW) or bad();
  $d;
}
sub mount_of { my ($d) = @_;
  open my $f, "<", "/proc/self/fdinfo/" . fileno $d or bad();
  while (<$f>) { return $1 if /^mnt_id:\s*(\d+)/ }
  die ["EUNKNOWN", "the kernel does not say mnt_id"];
}
sub remove_below { my ($parent, $name, $mount, $path) = @_;
  my $entry = "/proc/self/fd/" . fileno($parent) . "/$name";
  my $d = eval { open_directory($entry) } or do { my $e = $@; return if $e->[0] eq "ENOENT"; die [@$e[0, 1], $path] };
  die ["EMOUNTED", "mounted", $path] if mount_of($d) ne $mount;
  my $end = time + 2;
  for (;;) {
    my $at = "/proc/self/fd/" . fileno $d;
    for my $each (names_in($at)) {
      if (!lstat "$at/$each") { next if absent(); bad() }
      if (-d _) { remove_below($d, $each, $mount, "$path/$each"); next }
      next if unlink "$at/$each" or absent();
      die [$!{EBUSY} ? "EMOUNTED" : code(), "$!", "$path/$each"];
    }
    return if rmdir $entry or $!{ENOENT};
    die [$!{EBUSY} ? "EMOUNTED" : code(), "$!", $path] if !$!{ENOTEMPTY} || time > $end;
  }
}
$LONG{rmdir} = sub { my ($path) = @_;
  my $parent = eval { open_directory(parent($path), 1) } or do { my $e = $@; return if $e->[0] =~ /^ENO(ENT|TDIR)$/; die $e };
  my ($name) = $path =~ m{([^/]*)\z};
  remove_below($parent, $name, mount_of($parent), $path);
  return;
};
$LONG{usage} = sub { my ($root) = @_;
  my @root = lstat $root or absent() ? return 0 : bad();
  my (%seen, @left); my $blocks = $root[12];
  @left = ($root) if -d _;
  while (defined(my $at = pop @left)) {
    opendir my $h, $at or absent() ? next : bad();
    while (defined(my $name = readdir $h)) {
      next if $name eq "." || $name eq "..";
      my @s = lstat "$at/$name" or absent() ? next : bad();
      next if $s[0] != $root[0];
      if (-d _) { push @left, "$at/$name" } elsif ($s[3] > 1) { next if $seen{$s[1]}++ }
      $blocks += $s[12];
    }
  }
  $blocks * 512;
};
`;
