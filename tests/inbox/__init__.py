"""What outside judges say of our mail: mail clients' tables, spam filters, verifiers, parsers, checkers, browsers."""
