# Generated from sql/errors.toml by `make generate`: edit that.
"""What the database refuses, as exceptions: one class per SQLSTATE (specification, section 8)."""

from typing import ClassVar

import psycopg


class BirthError(Exception):
    """A refusal by the database: ``sqlstate``, ``message``, ``detail`` (the facts) and ``hint`` (the next step)."""

    sqlstate: ClassVar[str]

    def __init_subclass__(cls, sqlstate: str) -> None:
        """Note the SQLSTATE that a class stands for."""
        cls.sqlstate = sqlstate

    def __init__(self, message: str, detail: str | None = None, hint: str | None = None) -> None:
        """Keep the parts as the database sent them."""
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    @staticmethod
    def from_psycopg(exc: psycopg.Error) -> "BirthError | None":
        """Return the refusal that ``exc`` carries, or None when its SQLSTATE is not in the catalogue."""
        for refusal in BirthError.__subclasses__():
            if refusal.sqlstate == exc.sqlstate:
                diag = exc.diag
                return refusal(diag.message_primary or "", diag.message_detail, diag.message_hint)
        return None


class SwitchConflict(BirthError, sqlstate="NB101"):
    """NB101: p_dry_run and p_execute contradict each other."""


class BadArgument(BirthError, sqlstate="NB102"):
    """NB102: an argument is missing or out of range."""


class UnknownCollection(BirthError, sqlstate="NB103"):
    """NB103: the collection is not registered."""


class PolicyNotRequired(BirthError, sqlstate="NB104"):
    """NB104: the policy of the collection is not BIRTH_REQUIRED."""


class IdentityNotEligible(BirthError, sqlstate="NB105"):
    """NB105: the identity of the collection is not eligible."""


class IdentityMalformed(BirthError, sqlstate="NB106"):
    """NB106: the identity definition is malformed."""


class CodeMissing(BirthError, sqlstate="NB107"):
    """NB107: an entity code is NULL, blank or longer than 512 bytes."""


class CodeForeign(BirthError, sqlstate="NB108"):
    """NB108: an entity code belongs to another collection."""


class CodeDuplicate(BirthError, sqlstate="NB109"):
    """NB109: two rows of the collection have the same entity code."""


class RoleRequired(BirthError, sqlstate="NB110"):
    """NB110: the login is not a member of the role that this routine requires."""


class RoutineNotNamed(BirthError, sqlstate="NB111"):
    """NB111: the statement sent by the client does not name the routine."""


class IsolationLevel(BirthError, sqlstate="NB112"):
    """NB112: the routine requires isolation level READ COMMITTED."""


class TimeoutWouldCut(BirthError, sqlstate="NB113"):
    """NB113: a timeout of the session would cut the run."""


class SourceMissing(BirthError, sqlstate="NB114"):
    """NB114: the table does not exist or cannot be a source."""


class SourcePrivilege(BirthError, sqlstate="NB115"):
    """NB115: birth_definer lacks a privilege on the source table."""


class DefinitionInUse(BirthError, sqlstate="NB116"):
    """NB116: the collection has an open run."""


class TransitionRequired(BirthError, sqlstate="NB117"):
    """NB117: the change needs a governance transition."""


class TransitionBlocked(BirthError, sqlstate="NB118"):
    """NB118: the policy of the collection cannot change so now."""


class SourceLeftTraces(BirthError, sqlstate="NB119"):
    """NB119: code on the source table changed the state of this session."""


class ReadOnly(BirthError, sqlstate="NB120"):
    """NB120: the transaction is read-only, and the routine writes."""


class CollectionInUse(BirthError, sqlstate="NB121"):
    """NB121: the registration of the collection cannot be withdrawn."""


class PermitUnknown(BirthError, sqlstate="NB201"):
    """NB201: the permit does not exist."""


class PermitNotOpen(BirthError, sqlstate="NB202"):
    """NB202: the permit is no longer open."""


class PermitExpired(BirthError, sqlstate="NB203"):
    """NB203: the permit has expired."""


class PermitScope(BirthError, sqlstate="NB204"):
    """NB204: the permit is for another collection, run or purpose."""


class PermitNotConfirmed(BirthError, sqlstate="NB205"):
    """NB205: the permit is not confirmed."""


class PermitExhausted(BirthError, sqlstate="NB206"):
    """NB206: the permit has too few rows left."""


class PermitTerms(BirthError, sqlstate="NB207"):
    """NB207: the terms of the permit are not allowed."""


class PermitInTheWay(BirthError, sqlstate="NB208"):
    """NB208: the run already has an open permit."""


class SeparationOfDuties(BirthError, sqlstate="NB209"):
    """NB209: one person cannot hold two conflicting duties in a run."""


class VerdictMissing(BirthError, sqlstate="NB210"):
    """NB210: the run has no current verdict SAFE."""


class VerdictMalformed(BirthError, sqlstate="NB211"):
    """NB211: the verdict does not fit the run."""


class HomeUnconfirmed(BirthError, sqlstate="NB212"):
    """NB212: this database is a restored or cloned copy that no DBA has confirmed."""


class VerdictStands(BirthError, sqlstate="NB213"):
    """NB213: an earlier verdict NOT_SAFE_NEEDS_FIX is still in force."""


class RunUnknown(BirthError, sqlstate="NB301"):
    """NB301: the run does not exist."""


class RunStatus(BirthError, sqlstate="NB302"):
    """NB302: the status of the run does not allow this operation."""


class RunHeld(BirthError, sqlstate="NB303"):
    """NB303: another session holds the run."""


class RunTakenOver(BirthError, sqlstate="NB304"):
    """NB304: another session took over the run."""


class PlanStale(BirthError, sqlstate="NB305"):
    """NB305: the plan is out of date."""


class DeltaMismatch(BirthError, sqlstate="NB306"):
    """NB306: the expected delta differs from what the run would write."""


class BoundExceeded(BirthError, sqlstate="NB307"):
    """NB307: p_max_rows is higher than the permit allows."""


class ParityBroken(BirthError, sqlstate="NB308"):
    """NB308: births and source rows of the collection do not reconcile."""


class FalseDone(BirthError, sqlstate="NB309"):
    """NB309: births in the registry do not match the ledger row of the run."""


class SourceChanged(BirthError, sqlstate="NB310"):
    """NB310: source rows changed after the plan."""


class StopRequested(BirthError, sqlstate="NB311"):
    """NB311: a stop of the run was requested."""


class DriverRequired(BirthError, sqlstate="NB312"):
    """NB312: only the procedure can execute this run."""


class BirthsTouched(BirthError, sqlstate="NB313"):
    """NB313: what the run wrote was changed or referenced after it."""


class NothingToDo(BirthError, sqlstate="NB314"):
    """NB314: there is nothing to do."""


class AlertsGrew(BirthError, sqlstate="NB315"):
    """NB315: new trigger guard alerts were raised during the run."""


class GatewayMissing(BirthError, sqlstate="NB316"):
    """NB316: the collection is in mode enforce but has no enabled gateway."""


class RehearsalOver(BirthError, sqlstate="NB317"):
    """NB317: the rehearsal has finished and is rolled back."""


class OutcomeUndone(BirthError, sqlstate="NB318"):
    """NB318: the outcome of the last batch was rolled back."""


class DotFrozen(BirthError, sqlstate="NB401"):
    """NB401: the operation is frozen."""


class DotUnknown(BirthError, sqlstate="NB402"):
    """NB402: the operation does not exist."""


class DotDangerous(BirthError, sqlstate="NB403"):
    """NB403: a dangerous operation stays frozen."""


class ContractDrift(BirthError, sqlstate="NB404"):
    """NB404: the schema does not match its release."""


class Stage0NotEnforced(BirthError, sqlstate="NB405"):
    """NB405: a stage 0 guard does not pass."""


class ReleaseInProgress(BirthError, sqlstate="NB406"):
    """NB406: a release holds the lock of the schema."""


class ReleaseBlocked(BirthError, sqlstate="NB407"):
    """NB407: a run is active."""


class NotBirthNeutral(BirthError, sqlstate="NB408"):
    """NB408: the release changed births."""


class EvidenceKept(BirthError, sqlstate="NB409"):
    """NB409: the downgrade would destroy evidence."""


class ReleasePrivilege(BirthError, sqlstate="NB410"):
    """NB410: the login lacks a privilege that a release needs."""


class ReleaseOrder(BirthError, sqlstate="NB411"):
    """NB411: the database is at a different release."""


class GatewayInUse(BirthError, sqlstate="NB412"):
    """NB412: the gateway is still attached to tables."""


class DefinitionGuarded(BirthError, sqlstate="NB413"):
    """NB413: the object is part of the released contract."""


class ServerUnknown(BirthError, sqlstate="NB414"):
    """NB414: the release has no contract for this server version."""


class GateInUse(BirthError, sqlstate="NB415"):
    """NB415: collections are closed until they are admitted."""


class LifeInUse(BirthError, sqlstate="NB416"):
    """NB416: life triggers are still attached to tables."""


class RegistryDistributed(BirthError, sqlstate="NB417"):
    """NB417: a table of birthdb is distributed by Citus."""


class ReleaseUnfit(BirthError, sqlstate="NB418"):
    """NB418: this birthdb does not fit the release of the database."""


class GatewayNoIdentity(BirthError, sqlstate="NB501"):
    """NB501: a row cannot get an entity code."""


class GatewayForeign(BirthError, sqlstate="NB502"):
    """NB502: the entity code of a row belongs to another collection."""


class GatewayUnregistered(BirthError, sqlstate="NB503"):
    """NB503: the trigger names a collection that is not registered."""


class GatewayAttached(BirthError, sqlstate="NB504"):
    """NB504: the gateway is already attached to the table."""


class GatewayAbsent(BirthError, sqlstate="NB505"):
    """NB505: the collection has no gateway."""


class SourceClaimed(BirthError, sqlstate="NB506"):
    """NB506: the table belongs to another collection."""


class GatewayShadowed(BirthError, sqlstate="NB507"):
    """NB507: a temporary relation hides the transition table of the gateway."""


class NotAdmitted(BirthError, sqlstate="NB508"):
    """NB508: the collection takes no rows before it is admitted."""


class TableUngated(BirthError, sqlstate="NB509"):
    """NB509: a table of a gated schema is not governed."""


class AdmissionRefused(BirthError, sqlstate="NB510"):
    """NB510: the collection cannot be admitted."""


class CodeDead(BirthError, sqlstate="NB511"):
    """NB511: the code of a row is dead."""


class CodeTaken(BirthError, sqlstate="NB512"):
    """NB512: a row cannot take the code of another row's birth."""


class TruncateRefused(BirthError, sqlstate="NB513"):
    """NB513: the table of a collection whose life is enforced cannot be truncated."""


class NotRetired(BirthError, sqlstate="NB514"):
    """NB514: a row that is not retired cannot be deleted."""


class SuccessionRefused(BirthError, sqlstate="NB515"):
    """NB515: the successor cannot be recorded."""


class FenceLate(BirthError, sqlstate="NB516"):
    """NB516: a transaction that has already written cannot record the fence."""


class LifeUnread(BirthError, sqlstate="NB517"):
    """NB517: the table could not be read to see whether a code is still in use."""


class LifeAttached(BirthError, sqlstate="NB518"):
    """NB518: the life triggers are already attached."""


class LifeAbsent(BirthError, sqlstate="NB519"):
    """NB519: the collection has no life triggers."""


class LifeRefused(BirthError, sqlstate="NB520"):
    """NB520: the life of the collection cannot be recorded this way."""


class CodeNotDead(BirthError, sqlstate="NB521"):
    """NB521: the code is not dead."""


class BirthAbsent(BirthError, sqlstate="NB522"):
    """NB522: rows ended that never had a birth."""


class TriggerInTheWay(BirthError, sqlstate="NB523"):
    """NB523: another trigger on the table or on one of its partitions has the name of one that is created."""
