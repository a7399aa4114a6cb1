/** Programs of the host, and connections that it makes. */
export const PROCESSES = `
$OP{run} = sub { my ($id, $cwd, $stdin, $stays, $n, @rest) = @_;
  my @argv = splice @rest, 0, $n;
  pipe(my $or, my $ow) && pipe(my $er, my $ew) && pipe(my $xr, my $xw) && pipe(my $ir, my $iw) or bad();
  my $pid = fork; defined $pid or bad();
  if (!$pid) {
    $SIG{$_} = "DEFAULT" for qw(CHLD ALRM HUP TERM INT PIPE); alarm 0;
    # a terminal that goes, as sudo's may, tells the group that is in front
    setpgrp 0, 0 if $stays;
    $stdin ? open(STDIN, "<&", $ir) : open(STDIN, "<", "/dev/null");
    open(STDOUT, ">&", $ow); open(STDERR, ">&", $ew);
    my $path = join ":", grep { length } ($ENV{PATH} || ""), $PATH;
    %ENV = (PATH => $path, HOME => "/root", LC_ALL => "C", @rest);
    chdir $cwd and exec { $argv[0] } @argv;
    syswrite $xw, pack "N", $!;
    kill "KILL", $$;
  }
  close $_ for $ow, $ew, $xw, $ir;
  if (sysread $xr, my $b, 4) { waitpid $pid, 0; $! = unpack "N", $b; bad() }
  unblock($iw);
  $T{$id} = { pid => $pid, stays => $stays, pending => "", out => [
    { fh => $or, type => "o", credit => $WINDOW }, { fh => $er, type => "e", credit => $WINDOW }] };
  $T{$id}{in} = $iw if $stdin;
  put("s", $id, "");
};

$OP{dial} = sub { my ($id, $kind, @at) = @_;
  my $unix = $kind eq "unix";
  # loading Socket takes as long as all else of a look; the numbers of unix(7) are the same on all but MIPS
  my $plain = $unix && machine() !~ /^mips/;
  require Socket if !$plain;
  my $address = $unix ? pack("Sa*", 1, $at[0]) : eval { (resolve(@at))[0] } || do { $! = Errno::EHOSTUNREACH(); bad() };
  my ($family, $stream) = $plain ? (1, 1) : (Socket::sockaddr_family($address), Socket::SOCK_STREAM());
  socket(my $s, $family, $stream, 0) or bad();
  # one of the host itself is there or not: waiting for its turn takes no time to speak of
  unblock($s) if !$unix;
  my $t = { socket => 1, pending => "", in => $s, out => [] };
  my $up = sub {
    delete $t->{connecting};
    unblock($s);
    $t->{out} = [{ fh => $s, type => "o", credit => $WINDOW }];
    put("s", $id, "");
  };
  if (connect $s, $address) { $T{$id} = $t; return $up->() }
  bad() if !$!{EINPROGRESS};
  $t->{connecting} = sub {
    $! = unpack "i", getsockopt $s, Socket::SOL_SOCKET(), Socket::SO_ERROR();
    return $up->() if !($! + 0);
    eval { bad() }; drop($t); failed($id, $@);
  };
  $T{$id} = $t;
};
sub resolve { my ($host, $port) = @_;
  my ($e, @found) = Socket::getaddrinfo($host, $port, { flags => Socket::AI_NUMERICHOST(), socktype => Socket::SOCK_STREAM() });
  map { $_->{addr} } @found;
}
`;
