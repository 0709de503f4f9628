# For magic, in a qflow layout directory: pads that qrouter left below a metal's least area get the smallest extension that leaves
# one broken rule less, on whichever side has room. LEF is the cells' file.
lef read $env(LEF)
load element
drc on
select top cell
expand
drc check
drc catchup
foreach {why places} [drc listall why] {
    if {![regexp {^(Metal[0-9]) area} $why all layer]} continue
    foreach place $places {
        lassign $place left bottom right top
        foreach {l b r t} {0 0 1 0  -1 0 0 0  0 0 0 1  0 -1 0 0} {
            set before [drc list count total]
            box values [expr {$left + $l}] [expr {$bottom + $b}] [expr {$right + $r}] [expr {$top + $t}]
            paint [string tolower $layer]
            drc check
            drc catchup
            if {[drc list count total] < $before} break
            undo
        }
    }
}
save
# qflow compares the extracted netlist of this layout, which must be younger than it.
extract all
ext2spice hierarchy on
ext2spice format ngspice
ext2spice scale off
ext2spice renumber off
ext2spice cthresh infinite
ext2spice rthresh infinite
ext2spice blackbox on
ext2spice subcircuit top auto
ext2spice global off
ext2spice
quit -noprompt
