/**
 * What runs on the host: frames in, frames out, and one loop that serves all of them. It uses nothing
 * but what every perl has, writes nothing of its own to disk, and ends with its connection, and what it
 * started with it, but for what is said to stay. What only some hosts need is loaded when it is asked for:
 * half of its start was that.
 *
 * A frame is the length of its data, a letter, the number of what it belongs to, the data. Lists are
 * strings that each follow their length. The constants that it needs come before it.
 */
export const CORE = `
use strict; use Errno; use Fcntl qw(F_GETFL F_SETFL S_IMODE S_ISREG O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL
  O_APPEND O_DIRECTORY O_NOFOLLOW O_NONBLOCK);
our (%T, %OP, %LONG);
our @CODES = qw(ENOENT EACCES EPERM EEXIST ENOSPC EDQUOT EMFILE ENFILE EROFS EBUSY ENOTDIR EISDIR
  ENOTEMPTY ELOOP ECONNREFUSED ECONNRESET ETIMEDOUT EHOSTUNREACH ENETUNREACH ENODEV EXDEV ENAMETOOLONG);
$0 = "stowage-agent"; $^F = 2; umask 022; chdir "/";

sub put { my ($type, $id, $data) = @_;
  my $b = pack("Na1N", length $data, $type, $id) . $data;
  while (length $b) {
    my $n = syswrite STDOUT, $b;
    if (defined $n) { substr($b, 0, $n, "") } elsif (!$!{EINTR}) { quit() }
  }
}
sub packed { pack("(N/a*)*", map { defined $_ ? $_ : "" } @_) }
sub done { my ($id, @list) = @_; delete $T{$id}; put("=", $id, packed(@list)) }
sub failed { my ($id, $e) = @_; delete $T{$id}; put("!", $id, packed(ref $e ? @$e : ("EUNKNOWN", "$e"))) }
sub code { my ($c) = grep { $!{$_} } @CODES; $c || "EUNKNOWN" }
sub bad { die [code(), "$!"] }
sub absent { $!{ENOENT} || $!{ENOTDIR} }
sub machine {
  # older kernels have no file for it
  my $f;
  my $name = open($f, "<", "/proc/sys/kernel/arch") ? <$f> : qx(uname -m);
  chomp $name;
  $name;
}

sub children { my ($pid) = @_; my @found;
  for my $task (glob "/proc/$pid/task/*/children") {
    open my $f, "<", $task or next;
    push @found, split " ", (scalar(<$f>) || "");
  }
  @found;
}
# whether any thread of it runs: one that is told to stop in the middle of a fork stops when that is over
sub runs { my ($pid) = @_;
  for my $task (glob "/proc/$pid/task/*/stat") {
    open my $f, "<", $task or next;
    return 1 if (scalar(<$f>) || "") =~ /.*\\) R/;
  }
  0;
}
# what stands still begins nothing more while the rest is looked for; all are asked again, once none of them runs
sub kill_tree { my ($pid) = @_; my @new = ($pid); my %all = ($pid => 1); my $until = time + 2;
  while (@new) {
    while (@new) { kill "STOP", @new; @new = grep { !$all{$_}++ } map { children($_) } @new }
    select undef, undef, undef, 0.001 while time < $until && grep { runs($_) } keys %all;
    @new = grep { !$all{$_}++ } map { children($_) } keys %all;
  }
  kill "KILL", keys %all;
}

sub drop { my ($t) = @_;
  kill_tree($t->{pid}) if $t->{pid} && !defined $t->{status};
  unlink $t->{temporary} if defined $t->{temporary};
  delete @$t{qw(in temporary file)};
  $t->{out} = [];
}
sub quit { $_->{stays} or drop($_) for values %T; exit 0 }

# what a slow question comes to is found by a child, so that others are answered meanwhile
sub apart { my ($id, $do) = @_;
  pipe(my $r, my $w) or bad();
  my $pid = fork; defined $pid or bad();
  if (!$pid) {
    $SIG{$_} = "DEFAULT" for qw(CHLD ALRM HUP TERM); alarm 0;
    my @list = eval { ("=", $do->()) };
    @list = ("!", ref $@ ? @{$@} : ("EUNKNOWN", "$@")) if !@list;
    my ($type, $b) = (shift @list, ""); $b = $type . packed(@list);
    while (length $b) { my $n = syswrite($w, $b) || last; substr($b, 0, $n, "") }
    kill "KILL", $$;
  }
  $T{$id} = { pid => $pid, worker => 1, got => "", out => [{ fh => $r, credit => 1, type => "w" }] };
}

# what changes files is compiled when it is first asked for: a look has no use for half of this program
sub load_for { my ($op) = @_;
  return if $LONG{$op} || $OP{$op} || !length $FILES;
  (my $source, $FILES) = ($FILES, "");
  eval "$source 1" or die $@;
}

sub request { my ($id, $data) = @_;
  my ($op, @list) = unpack "(N/a*)*", $data;
  eval {
    load_for($op);
    if ($LONG{$op}) { apart($id, sub { $LONG{$op}->(@list) }) }
    else { ($OP{$op} || die ["EUNKNOWN", "no $op"])->($id, @list) }
    1;
  } or failed($id, $@);
}

sub frame { my ($type, $id, $data) = @_;
  return put("p", 0, "") if $type eq "p";
  return request($id, $data) if $type eq "r";
  my $t = $T{$id} or return;
  if ($type eq "d") {
    if ($t->{file}) { eval { write_all($t->{file}, $data); 1 } or do { my $e = $@; drop($t); failed($id, $e) }; put("w", $id, pack "N", length $data) if $T{$id} }
    elsif ($t->{in}) { $t->{pending} .= $data }
    else { put("w", $id, pack "N", length $data) }
  }
  elsif ($type eq "e") {
    if ($t->{file}) { eval { $t->{place}->(); 1 } ? done($id) : do { my $e = $@; drop($t); failed($id, $e) } }
    else { $t->{over} = 1; flush_in($id, $t) }
  }
  elsif ($type eq "w") { my ($kind, $n) = unpack "a1N", $data; for (@{$t->{out}}) { $_->{credit} += $n if $_->{type} eq $kind } }
  elsif ($type eq "c") {
    drop($t);
    if ($t->{worker} || !$t->{pid}) { failed($id, ["ECANCELED", "cancelled"]) } else { settle($id, $t) }
  }
}

sub unblock { my ($f) = @_; fcntl($f, F_SETFL, fcntl($f, F_GETFL, 0) | O_NONBLOCK) or bad() }
sub write_all { my ($f, $b) = @_;
  while (length $b) { my $n = syswrite $f, $b; defined $n or $!{EINTR} or bad(); substr($b, 0, $n || 0, "") }
}

sub flush_in { my ($id, $t) = @_;
  my $in = $t->{in} or return;
  if (length $t->{pending}) {
    my $n = syswrite $in, $t->{pending}, 65536;
    if (!defined $n) {
      return if $!{EAGAIN} || $!{EINTR};
      # whoever reads no more gets no more; what there is of it counts as taken
      $n = length $t->{pending}; delete $t->{in};
    }
    substr($t->{pending}, 0, $n, "");
    put("w", $id, pack "N", $n);
  }
  return if length $t->{pending} || !$t->{over} || !$t->{in};
  shutdown $in, 1 if $t->{socket};
  delete $t->{in};
  settle($id, $t);
}

sub take_out { my ($id, $t, $s) = @_;
  my $n = sysread $s->{fh}, my $b, $t->{worker} ? 1048576 : $s->{credit} < 65536 ? $s->{credit} : 65536;
  return if !defined $n && ($!{EAGAIN} || $!{EINTR});
  if ($t->{worker}) {
    if ($n) { $t->{got} .= $b; return }
    $t->{out} = [];
    return settle($id, $t);
  }
  if ($n) { $s->{credit} -= $n; return put($s->{type}, $id, $b) }
  $t->{out} = [grep { $_ != $s } @{$t->{out}}];
  put(uc $s->{type}, $id, "");
  settle($id, $t);
}

sub settle { my ($id, $t) = @_;
  return if @{$t->{out}};
  if ($t->{worker}) {
    delete $T{$id}; $t->{got} = "!" . packed("EUNKNOWN", "it was killed") if !length $t->{got};
    return put(substr($t->{got}, 0, 1), $id, substr $t->{got}, 1);
  }
  if ($t->{socket}) { done($id) if !$t->{in}; return }
  done($id, $t->{status}) if defined $t->{status};
}

sub reap {
  while ((my $pid = waitpid -1, 1) > 0) {
    my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    for my $id (keys %T) {
      my $t = $T{$id};
      next if $t->{worker} || ($t->{pid} || 0) != $pid;
      $t->{status} = $status;
      settle($id, $t);
    }
  }
}
`;

/** The loop: nothing comes after it. */
export const LOOP = String.raw`
pipe(my $woken, my $waker) or die; unblock($_) for $woken, $waker;
$SIG{CHLD} = sub { syswrite $waker, "." };
$SIG{$_} = \&quit for qw(ALRM HUP TERM INT);
$SIG{PIPE} = "IGNORE";
my $input = "";
put("R", 0, "");
alarm $LEASE;
for (;;) {
  my ($r, $w) = ("", "");
  vec($r, 0, 1) = vec($r, fileno $woken, 1) = 1;
  for my $t (values %T) {
    for (@{$t->{out}}) { vec($r, fileno $_->{fh}, 1) = 1 if $_->{credit} > 0 }
    vec($w, fileno $t->{in}, 1) = 1 if $t->{in} && (length $t->{pending} || $t->{connecting});
  }
  my $n = select $r, $w, undef, undef;
  next if $n < 1;
  if (vec $r, 0, 1) {
    my $n = sysread STDIN, $input, 262144, length $input;
    quit() if !$n && !(!defined $n && $!{EINTR});
    alarm $LEASE;
    my $at = 0;
    while (length($input) - $at >= 9) {
      my ($size, $type, $id) = unpack "Na1N", substr $input, $at, 9;
      last if length($input) - $at < 9 + $size;
      frame($type, $id, substr $input, $at + 9, $size);
      $at += 9 + $size;
    }
    substr($input, 0, $at, "");
  }
  if (vec $r, fileno $woken, 1) { sysread $woken, my $b, 4096; reap() }
  for my $id (keys %T) {
    my $t = $T{$id} or next;
    if ($t->{in} && vec $w, fileno $t->{in}, 1) { $t->{connecting} ? $t->{connecting}->() : flush_in($id, $t) }
    for my $s (@{$t->{out} || []}) { take_out($id, $t, $s) if $T{$id} && $s->{credit} > 0 && vec $r, fileno $s->{fh}, 1 }
  }
}
`;
