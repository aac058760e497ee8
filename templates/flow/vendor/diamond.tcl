# ${NAME} on ${PART} with Lattice Diamond. From the folder that holds rtl/ and mem/: diamondc syn/diamond.tcl
prj_project new -name ${NAME} -impl impl1 -dev ${PART} -synthesis synplify
foreach file [list ${FILES}] {
    prj_src add $file
}
prj_src add constraints/${NAME}.lpf
prj_impl option top ${NAME}_top
prj_impl option {include path} rtl
prj_run Map -impl impl1
prj_run PAR -impl impl1
prj_project close
