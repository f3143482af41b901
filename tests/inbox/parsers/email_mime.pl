# What Perl's Email::MIME makes of every message in a folder, a line of JSON each.
use strict;
use warnings;
use Email::MIME;
use JSON::PP;

my $json = JSON::PP->new->utf8->canonical;

sub body_of {
    my ($message, $type) = @_;
    my ($part) = grep { !$_->subparts && $_->content_type =~ m{^\Q$type\E\b} } ($message, $message->subparts);
    return $part ? $part->body_str : '';
}

sub mailbox_of {
    my ($message, $name) = @_;
    my $list = $message->header_as_obj($name);
    return $list ? $list->first_address : undef;
}

for my $file (sort glob("$ARGV[0]/*.eml")) {
    open my $handle, '<:raw', $file or die "$file: $!";
    my $data = do { local $/; <$handle> };
    my ($said) = eval {
        my $message = Email::MIME->new($data);
        my ($from, $to) = map { mailbox_of($message, $_) } qw(From To);
        {
            subject => $message->header_str('Subject') // '',
            from => $from ? $from->phrase // '' : '',
            to => $to ? $to->phrase // '' : '',
            address => $to ? $to->address // '' : '',
            text => body_of($message, 'text/plain'),
            html => body_of($message, 'text/html'),
        };
    };
    $said = { error => "$@" } unless $said;
    $said->{file} = $file;
    print $json->encode($said), "\n";
}
