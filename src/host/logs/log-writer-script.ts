import { createHash } from "node:crypto";

/** Digits of a log file's number, so that names sort as numbers do. */
const DIGITS = 8;

/**
 * Reads both streams in one process and writes whole lines: into a new file where one does not fit,
 * in parts only where it fits in none. A line that is not ended is waited for as long as more comes.
 * Beside each file lies one of its times: `OFFSET SECOND` where the bytes of another second begin.
 */
const PERL = `
my ($max, $keep) = @ARGV;
my ($number) = sort { $b <=> $a } map { /^(\\d+)\\.log$/ ? $1 : () } do { opendir my $d, "."; readdir $d };
$number = ($number || 1) - 1;
my ($size, $out, $times, $second);
sub name { sprintf "%0${DIGITS}d.%s", @_ }
sub next_file {
  $number++;
  unlink map { (name($_, "log"), name($_, "times")) } grep { $_ > 0 } $number - $keep - 100 .. $number - $keep;
  $size = open($out, ">>", name($number, "log")) ? -s $out : 0;
  $second = 0;
  open($times, ">>", name($number, "times")) or undef $times;
}
sub mark {
  my $now = time;
  # where nothing could be written for a while the file is shorter than what came
  syswrite $times, ((-s $out) || 0) . " $now\\n" if $times && $now != $second;
  $second = $now;
}
sub put {
  my $text = shift;
  while (length $text) {
    my ($room, $take) = ($max - $size, length $text);
    if ($take > $room) {
      $take = $room > 0 ? rindex($text, "\\n", $room - 1) + 1 : 0;
      if (!$take && $size) { next_file(); next }
      $take ||= $room;
    }
    mark();
    my $part = substr($text, 0, $take, "");
    while (length $part) {
      my $written = syswrite $out, $part or last;
      substr($part, 0, $written, "");
    }
    $size += $take;
  }
}
next_file();
open my $stdout, "<&=", 3;
open my $stderr, "<&=", 4;
my @streams = map { { from => $_, rest => "" } } $stderr, $stdout;
while (@streams) {
  my $ready = "";
  vec($ready, fileno $_->{from}, 1) = 1 for @streams;
  my $count = select $ready, undef, undef, (grep { length $_->{rest} } @streams) ? 0.2 : undef;
  if ($count == 0) { put($_->{rest}), $_->{rest} = "" for @streams }
  next if $count < 1;
  for my $stream (grep { vec($ready, fileno $_->{from}, 1) } @streams) {
    my $read = sysread $stream->{from}, $stream->{rest}, 65536, length $stream->{rest};
    next if !defined $read && $! == 4;
    my $end = rindex($stream->{rest}, "\\n") + 1;
    $end = length $stream->{rest} if !$read || (!$end && length $stream->{rest} > 65536);
    put(substr($stream->{rest}, 0, $end, ""));
    $stream->{over} = !$read;
  }
  @streams = grep { !$_->{over} } @streams;
}
`;

/** The same with nothing but a shell and `dd`, for hosts without perl: lines may be cut between files. */
const SHELL = `
# stderr goes into the pipe of stdout by its name in /proc; writes of 4096 bytes go in as one. It is opened before
# anything is read: a process that ends at once has let go of its stdout by then, and that would be the end of all
exec 5>/proc/self/fd/3
(exec dd status=none bs=4096 <&4 >&5 2>/dev/null 3<&-) &
exec 4<&- 5>&-
n=0; for f in *.log; do [ -e "$f" ] && n=\${f%.log}; done
n=\${n#"\${n%%[!0]*}"}; n=\${n:-0}
s=-1
while :; do
  if [ $s -lt 0 ] || [ $s -ge $max ]; then
    if [ $s -ge 0 ] || [ $n -eq 0 ]; then n=$((n+1)); fi
    f=$(printf '%0${DIGITS}d.log' $n); m=\${f%.log}.times; p=
    o=$((n-keep)); [ $o -gt 0 ] && rm -f $(printf '%0${DIGITS}d.log %0${DIGITS}d.times' $o $o)
    : >>$f; s=$(($(wc -c <$f)))
    [ $s -ge $max ] && continue
  fi
  # one read, so that its time is known, never larger than what is left
  b=$((max-s)); [ $b -gt 65536 ] && b=65536
  if r=$(LC_ALL=C dd bs=$b count=1 <&3 2>&1 >>$f); then
    # each program that is begun costs more than the read: dd itself says how much that was; not every
    # busybox does where it was less than asked for, and its wc reads all of the file
    t=$s
    case $r in
      1+0*) s=$((s+b)) ;;
      *) set -- \${r##*records out}
        case \${1:-x} in
          *[!0-9]*) set -- $(ls -ln $f); s=\${5:-$(($(wc -c <$f)))} ;;
          *) s=$((s+$1)) ;;
        esac ;;
    esac
    [ $s -eq $t ] && break
    read -r u _ </proc/uptime; u=\${u%.*}
    [ "$u" = "$p" ] || { echo "$t $(date +%s)" >>$m; } 2>/dev/null; p=$u
  else dd bs=65536 count=1 <&3 >/dev/null 2>&1; s=$(($(wc -c <$f))); fi
done
`;

/**
 * Writes a container's output, descriptor 3 its stdout and 4 its stderr, into numbered files of a
 * directory: `sh FILE DIRECTORY MAX_BYTES MAX_FILES`. It ends at the end of both, and drops what
 * cannot be written, since a full pipe would stop the container.
 */
export const LOG_WRITER_SCRIPT = `max=$2 keep=$3
umask 077
cd "$1" || exec cat <&3 >/dev/null
if command -v perl >/dev/null; then exec perl -e '${PERL}' "$max" "$keep"; fi
${SHELL}`;

/** Name of the script's file; another text has another name. */
export const LOG_WRITER_NAME = `log-writer-${createHash("sha256").update(LOG_WRITER_SCRIPT).digest("hex").slice(0, 12)}`;
